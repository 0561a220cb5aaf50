/**
 * `--set path=value`: one change of a recipe. The value is JSON where it parses as JSON, else a string. The path must
 * name a field that the schema has; the schema check after it refuses the rest.
 */
import { DomainError } from '../errors.ts';

export interface Override {
  path: readonly string[];
  value: unknown;
}

/** Parses `a.b.c=value`. Throws `InvalidConfig`. */
export function parseOverride(text: string): Override {
  const equals = text.indexOf('=');
  const path = equals < 0 ? [] : text.slice(0, equals).split('.');
  if (path.length === 0 || path.some((key) => key === '' || key === '__proto__')) {
    throw new DomainError('InvalidConfig', `--set '${text}' is not path=value, e.g. --set update.learningRate=1e-5`, {
      text,
    });
  }
  const raw = text.slice(equals + 1);
  try {
    return { path, value: JSON.parse(raw) as unknown };
  } catch {
    return { path, value: raw };
  }
}

/** A copy of `root` with the overrides applied in order; objects on the way are made where missing. */
export function applyOverrides(root: unknown, overrides: readonly Override[]): unknown {
  const copy = structuredClone(root) as Record<string, unknown>;
  for (const { path, value } of overrides) {
    let node = copy;
    for (const key of path.slice(0, -1)) {
      const next = node[key];
      node[key] = next !== null && typeof next === 'object' ? next : {};
      node = node[key] as Record<string, unknown>;
    }
    node[path.at(-1)!] = value;
  }
  return copy;
}
