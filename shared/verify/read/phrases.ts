/** Answers that are words for something mathematics has a sign for, and numbers in words. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:there (?:is|are|exists?|exist) )?(?:no|none) ?(?:real|integer|such|valid|possible|positive integer|positive)? ?(?:solutions?|values?(?: of [a-z])?|roots?|numbers?|integers?|functions?|pairs?|polynomials?|sets?)?(?: exists?)?$/,
    '\\emptyset',
  ],
  [/^(?:the )?(?:empty|null) set$/, '\\emptyset'],
  [/^(?:positive )?(?:infinity|infinite|infinitely many)(?: solutions?)?$/, '\\infty'],
  [/^(?:-|negative |minus )\s*infinity$/, '-\\infty'],
  [
    /^(?:all|any|every) (?:real|reals)(?: numbers?| values?| [a-z])?$|^(?:the set of )?(?:all )?real numbers$|^[a-z] (?:is|can be) (?:any|all) real numbers?$|^r$/,
    '\\mathbb{R}',
  ],
  [/^(?:the )?(?:limit )?(?:dne|does not exist|doesn't exist)$/, '\\text{dne}'],
  [/^(?:is )?(?:undefined|not defined)$/, '\\text{undefined}'],
];

const small = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen'
).split(' ');
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const scales = new Map([['thousand', 1_000], ['million', 1_000_000], ['billion', 1_000_000_000]]); // prettier-ignore

/** The notation for a phrase (any case, without markup), or null. */
export function notationOf(phrase: string): string | null {
  const words = phrase.trim().toLowerCase().replace(/\s+/g, ' ').replace(/[.!]$/, '');
  if (words.length > 80 || !/^[a-z' -]+$/.test(words)) return null;
  for (const [pattern, notation] of phrases) if (pattern.test(words)) return notation;
  const half = /^(.*?) and (?:a|one) half( [a-z]+)?$/.exec(words);
  const whole = numberOf(half === null ? words : half[1]!);
  return whole === null ? null : `${whole}${half === null ? '' : '.5'}`;
}

/** `one thousand six hundred twenty-five` with at most one word (a unit) behind it. */
function numberOf(words: string): number | null {
  const parts = words.replace(/-/g, ' ').split(' ').filter((word) => word !== 'and'); // prettier-ignore
  let [total, current, used] = [0, 0, 0];
  for (const word of parts) {
    const [unit, ten, scale] = [small.indexOf(word), tens.indexOf(word), scales.get(word)];
    if (unit >= 0) current += unit;
    else if (ten >= 0) current += (ten + 2) * 10;
    else if (word === 'hundred' && used > 0) current *= 100;
    else if (scale !== undefined && used > 0) [total, current] = [total + current * scale, 0];
    else break;
    used += 1;
  }
  return used === 0 || parts.length > used + 1 ? null : total + current;
}
