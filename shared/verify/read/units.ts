/**
 * Units of measure: which words stand beside a number without changing it, and for those whose scale is known the
 * dimension and the exact factor, so that 50 cm can equal 0.5 m, and 10 m/s never 10 km/h.
 */
import { divide, integer, multiply, one, parseDecimal, power } from '../value/rational.ts';
import type { Rational } from '../value/rational.ts';

/** A product of base dimensions with the factor to its base units. */
export interface Measure {
  /** `length:1 time:-1`, sorted. */
  dimension: string;
  factor: Rational;
}

interface Unit {
  family: string;
  factor: Rational;
}
const table = new Map<string, Unit>();
function family(name: string, units: Record<string, string>): void {
  for (const [words, factor] of Object.entries(units)) {
    const [top, bottom] = factor.split('/');
    const value = divide(parseDecimal(top!)!, bottom === undefined ? one : parseDecimal(bottom)!)!;
    for (const word of words.split(' ')) table.set(word, { family: name, factor: value });
  }
}
family('length', {
  'nm nanometer nanometers': '1/1000000000',
  'um micrometer micrometers micron microns': '1/1000000',
  'mm millimeter millimeters millimetre millimetres': '0.001',
  'cm centimeter centimeters centimetre centimetres': '0.01',
  'dm decimeter decimeters': '0.1',
  'm meter meters metre metres': '1',
  'km kilometer kilometers kilometre kilometres': '1000',
  'in inch inches': '0.0254',
  'ft foot feet': '0.3048',
  'yd yard yards': '0.9144',
  'mi mile miles': '1609.344',
});
family('time', {
  'ms millisecond milliseconds': '0.001',
  's sec secs second seconds': '1',
  'min mins minute minutes': '60',
  'h hr hrs hour hours': '3600',
  'day days': '86400',
  'week weeks': '604800',
});
family('mass', {
  'mg milligram milligrams': '0.000001',
  'g gram grams': '0.001',
  'kg kilogram kilograms': '1',
  'ton tons tonne tonnes': '1000',
});
family('volume', { 'ml milliliter milliliters': '0.001', 'l liter liters litre litres': '1' });
family('dollar', { 'cent cents': '0.01', 'dollar dollars usd': '1' });
family('euro', { 'euro euros': '1' });

const plainWords = new Set(
  (
    'square cubic sq cu unit units pound pounds lb lbs ounce ounces oz mph kmh kph year years month months degree degrees deg ' +
    'yuan rupee rupees yen newton newtons joule joules watt watts volt volts amp amps ohm ohms pascal pa hz khz mol k ' +
    'people persons students apples ways times points coins balls marbles books integers numbers solutions pairs triples ' +
    'per n j w v a c f rad radians radian mod rpm kwh kw kj mj mw kn ev bps bytes bits men boys cats dogs cars pens eggs bags ' +
    'cups hens pigs cows ants bees kids rows sets wins mg/l cc pts hp gal qt pt'
  ).split(' '),
);

export const isUnitWord = (word: string): boolean => table.has(word) || plainWords.has(word);

/** The dimension and factor of a unit text (`cm`, `square meters`, `km/h`, `m s^-1`), or null where a part is unknown. */
export function measureOf(text: string): Measure | null {
  const words = text
    .toLowerCase()
    .replace(/[.\\{}()]/g, ' ')
    .replace(/\bper\b|\//g, ' / ')
    .replace(/[*·]/g, ' ')
    .replace(/\s*\^\s*/g, '^')
    .trim()
    .split(/\s+/);
  const powers = new Map<string, number>();
  let [factor, sign, ahead] = [one as Rational | null, 1, 1];
  for (const word of words) {
    if (word === '/') sign = -1;
    else if (/^(?:square|sq)$/.test(word)) ahead = 2;
    else if (/^(?:cubic|cu)$/.test(word)) ahead = 3;
    else {
      const match = /^([a-z]+)(?:\^?(-?\d))?$/.exec(word);
      const unit = match === null ? undefined : table.get(match[1]!);
      if (unit === undefined || factor === null) return null;
      const raised = sign * ahead * Number(match![2] ?? 1);
      powers.set(unit.family, (powers.get(unit.family) ?? 0) + raised);
      const scale = power(unit.factor, BigInt(raised));
      factor = scale === null ? null : multiply(factor, scale);
      ahead = 1;
    }
  }
  if (factor === null || powers.size === 0) return null;
  const dimension = [...powers].filter(([, p]) => p !== 0).map(([name, p]) => `${name}:${p}`);
  return { dimension: dimension.sort().join(' '), factor: multiply(factor, integer(1))! };
}
