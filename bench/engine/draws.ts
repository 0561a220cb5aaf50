/** Cheap seeded numbers for benchmark inputs. */

/** In [0, 1): a linear congruence (Numerical Recipes). */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Near-normal: the sum of twelve uniforms, centred. */
export function normals(seed: number): () => number {
  const next = uniforms(seed);
  return () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += next();
    return sum;
  };
}
