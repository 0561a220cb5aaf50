/** Question text reduced to what two copies of one problem share, for duplicate and contamination checks. */

/** Lower case; LaTeX commands, punctuation and spacing gone; digits and letters of any script kept. */
export function normalisedText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\\(?:left|right|displaystyle|,|;|!|quad|qquad)/g, ' ')
    .replace(/\\(?:text|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}/g, ' $1 ')
    .replace(/\\[dt]frac/g, '\\frac')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** The distinct runs of `n` words of a normalised text; none where it has fewer words. */
export function wordGrams(normalised: string, n: number): Set<string> {
  const words = normalised.split(' ');
  const grams = new Set<string>();
  for (let i = 0; i + n <= words.length; i += 1) grams.add(words.slice(i, i + n).join(' '));
  return grams;
}
