/** Complex arithmetic on doubles, principal branches. Knows nothing of expressions. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const real = (re: number): Complex => ({ re, im: 0 });
export const plus = (x: Complex, y: Complex): Complex => ({ re: x.re + y.re, im: x.im + y.im });
export const minus = (x: Complex, y: Complex): Complex => ({ re: x.re - y.re, im: x.im - y.im });
export const times = (x: Complex, y: Complex): Complex =>
  x.im === 0 && y.im === 0 ? real(x.re * y.re) : { re: x.re * y.re - x.im * y.im, im: x.re * y.im + x.im * y.re };
export const magnitude = (x: Complex) => Math.hypot(x.re, x.im);
export const isFinite = (x: Complex) => Number.isFinite(x.re) && Number.isFinite(x.im);

export function over(x: Complex, y: Complex): Complex {
  if (x.im === 0 && y.im === 0) return real(x.re / y.re);
  const scale = y.re * y.re + y.im * y.im;
  return { re: (x.re * y.re + x.im * y.im) / scale, im: (x.im * y.re - x.re * y.im) / scale };
}

export function exp(x: Complex): Complex {
  const r = Math.exp(x.re);
  return x.im === 0 ? real(r) : { re: r * Math.cos(x.im), im: r * Math.sin(x.im) };
}

export function ln(x: Complex): Complex {
  if (x.im === 0 && x.re > 0) return real(Math.log(x.re));
  return { re: Math.log(magnitude(x)), im: Math.atan2(x.im, x.re) };
}

export function pow(x: Complex, y: Complex): Complex {
  if (x.im === 0 && y.im === 0 && (x.re >= 0 || Number.isInteger(y.re))) return real(Math.pow(x.re, y.re));
  if (x.re === 0 && x.im === 0) return real(0);
  if (y.im === 0 && Number.isInteger(y.re) && Math.abs(y.re) <= 64) return wholePower(x, y.re);
  return exp(times(y, ln(x)));
}

function wholePower(x: Complex, n: number): Complex {
  let value = real(1);
  for (let i = 0; i < Math.abs(n); i += 1) value = times(value, x);
  return n < 0 ? over(real(1), value) : value;
}

export const sqrt = (x: Complex): Complex =>
  x.im === 0 ? (x.re >= 0 ? real(Math.sqrt(x.re)) : { re: 0, im: Math.sqrt(-x.re) }) : pow(x, real(0.5));

export const sin = (x: Complex): Complex => ({
  re: Math.sin(x.re) * Math.cosh(x.im),
  im: x.im === 0 ? 0 : Math.cos(x.re) * Math.sinh(x.im),
});
export const cos = (x: Complex): Complex => ({
  re: Math.cos(x.re) * Math.cosh(x.im),
  im: x.im === 0 ? 0 : -Math.sin(x.re) * Math.sinh(x.im),
});
