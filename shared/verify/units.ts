/**
 * Words that stand beside a number without changing it, and the few units whose scale is known, so that 50 cm can equal
 * 0.5 m. Families: two units are convertible when their family is the same.
 */
interface Unit {
  family: string;
  scale: number;
}
const table: Record<string, Unit> = {};
function family(name: string, units: Record<string, number>): void {
  for (const [words, scale] of Object.entries(units)) {
    for (const word of words.split(' ')) table[word] = { family: name, scale };
  }
}
family('length', {
  'mm millimeter millimeters millimetre millimetres': 0.001,
  'cm centimeter centimeters centimetre centimetres': 0.01,
  'm meter meters metre metres': 1,
  'km kilometer kilometers kilometre kilometres': 1000,
  'in inch inches': 0.0254,
  'ft foot feet': 0.3048,
  'yd yard yards': 0.9144,
  'mi mile miles': 1609.344,
});
family('time', {
  's sec secs second seconds': 1,
  'min mins minute minutes': 60,
  'h hr hrs hour hours': 3600,
  'day days': 86400,
  'week weeks': 604800,
});
family('mass', {
  'mg milligram milligrams': 1e-6,
  'g gram grams': 0.001,
  'kg kilogram kilograms': 1,
  'ton tons tonnes': 1000,
});
family('volume', { 'ml milliliter milliliters': 0.001, 'l liter liters litre litres': 1 });
family('money', { 'cent cents': 0.01, 'dollar dollars usd': 1 });

const plainWords = new Set(
  (
    'square cubic sq cu unit units pound pounds lb lbs ounce ounces oz mph kmh kph year years month months degree degrees ' +
    'euro euros yuan rupees yen newton newtons joule joules watt watts volt volts amp amps ohm ohms pascal pa hz hertz mol k ' +
    'people persons students apples ways times points coins balls marbles books integers numbers solutions pairs triples ' +
    'per n j w v a c f kg/m³ rad radians radian mod rpm kwh bps bytes bits'
  ).split(' '),
);

export const isUnitWord = (word: string) => word in table || plainWords.has(word);

/** Scale of a unit text (`cm`, `cm^2`, `square meters`) with its family and power, or null where it is not convertible. */
export function unitScale(text: string): { family: string; scale: number } | null {
  let power = 1;
  let words = text
    .toLowerCase()
    .replace(/[.\\{}]/g, ' ')
    .trim();
  const raised = /\s*\^\s*(\d)\s*$/.exec(words);
  if (raised !== null) {
    power = Number(raised[1]);
    words = words.slice(0, raised.index).trim();
  }
  if (/^(?:square|sq)\s/.test(words)) power = 2;
  if (/^(?:cubic|cu)\s/.test(words)) power = 3;
  words = words.replace(/^(?:square|sq|cubic|cu)\s+/, '');
  const unit = Object.hasOwn(table, words) ? table[words] : undefined;
  return unit === undefined ? null : { family: `${unit.family}^${power}`, scale: unit.scale ** power };
}
