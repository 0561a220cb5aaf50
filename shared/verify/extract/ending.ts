/** The last resort: what the last lines of a reply end in. */
const span = /\$\$?([^$]+)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]/g;
const verb =
  /(?:\bis\b|\bare\b|\bequals\b|\bbe\b|=|≈|\bget\b|\bof\b|\bby\b|\bto\b|\bgives?\b|\bpays?\b|\bhas\b|\bcosts?\b)\s*(?:exactly\s+|approximately\s+|about\s+|\$(?=\d))?/gi;
const bold = /\*\*([^*\n]{1,80})\*\*/g;
const longestLine = 3000;

/** What one of the last three lines that are no markup ends in. */
export function lastLineAnswer(text: string): string | null {
  const lines = text.trimEnd().split('\n');
  for (let i = lines.length - 1, seen = 0; i >= 0 && seen < 3; i -= 1) {
    const line = lines[i]!.trim();
    if (line === '' || /^(?:```|\\end\{|<\/?\w+>$|\\\]$|\$\$$)/.test(line)) continue;
    seen += 1;
    const found = emphasised(line) ?? endingOf(line.replace(/\*\*/g, ''));
    if (found !== null) return found;
  }
  return null;
}

/** The last bold words of a line that hold a number; labels ("**Step 3:**") do not count. */
export function emphasised(line: string): string | null {
  const found = [...line.matchAll(bold)].map((match) => match[1]!.trim());
  const values = found.filter(
    (words) => /\d/.test(words) && !/:$|^(?:step|case|part|example|method|note)\b/i.test(words),
  );
  return values.pop()?.replace(/[.,;]$/, '') ?? null;
}

/** What a line ends in: its last math span, its last number with sign, or the text after its last verb. */
export function endingOf(whole: string): string | null {
  const line = whole.slice(-longestLine);
  const money = line
    .replace(/\\?\$(?=\d[\d,.]*(?![^$]*\$))/g, '')
    .replace(/(?<=\d\s[a-z ]+)\bout of (?:the )?(?:total )?\d[\d,]*(?=\D*$)/, ' ');
  const spans = [...money.matchAll(span)];
  const last = spans[spans.length - 1];
  const listed = listedSpans(money, spans);
  if (listed !== null) return listed;
  const said = last === undefined ? null : numberSaid(money.slice(last.index + last[0].length));
  if (said !== null) return said;
  if (last !== undefined) {
    const percent = /^\s*(?:\\?%|percent)/.exec(money.slice(last.index + last[0].length));
    return `${(last[1] ?? last[2] ?? last[3])!.trim()}${percent === null ? '' : '%'}`;
  }
  const verbs = [...money.matchAll(verb)];
  const final = verbs[verbs.length - 1];
  const rest = final === undefined ? money : money.slice(final.index + final[0].length);
  const after = rest.trim().replace(/[.!]$/, '');
  if (
    final !== undefined &&
    after.length <= 60 &&
    /^[-+\\([{]?[\d.([\\]|^[-+]?[a-z]?[\d^*/+()-]+$|^\(?[A-E]\)?$|^\\?[a-z]?\s*[<>≤≥]/.test(after)
  )
    return after;
  const inequality = /[a-z]\s*(?:<=|>=|!=|<|>|≤|≥|\\le|\\ge|\\lt|\\gt|\\ne|\\leq|\\geq|\\neq)\s*[-\d\w./\\{}]+/.exec(
    money,
  );
  if (inequality !== null) return inequality[0];
  const leading =
    /^(?:\*\*)?((?:\d[\d,]*(?:\.\d+)?|One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten)) (?!of\b)[a-z]/.exec(
      money.trim(),
    )?.[1];
  if (leading !== undefined) return leading;
  const numbers = [...money.matchAll(/(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?:\/\d+)?(?:\s*%)?/g)];
  const number = numbers[numbers.length - 1]?.[0];
  return number === undefined ? null : number.replace(/,$/, '');
}

/** Math spans at the end that commas and an `and` join: one list. */
function listedSpans(line: string, spans: readonly RegExpExecArray[]): string | null {
  let first = spans.length - 1;
  const gap = (i: number) => line.slice(spans[i - 1]!.index + spans[i - 1]![0].length, spans[i]!.index);
  while (first > 0 && /^\s*(?:,|(?:,\s*)?(?:and|or))\s*$/.test(gap(first))) first -= 1;
  if (first < 0 || !spans.slice(first + 1).some((_, i) => /and|or/.test(gap(first + 1 + i)))) return null;
  return spans.slice(first).map((match) => (match[1] ?? match[2] ?? match[3])!.trim()).join(', '); // prettier-ignore
}

/** The number that a verb states last. */
function numberSaid(text: string): string | null {
  const stated = [
    ...text.matchAll(/(?:\bis|\bare|=|\bequals|\bby)\s+([-−]?\d[\d,]*(?:\.\d+)?(?:\/\d+)?\s*%?)(?![\d/])/g),
  ];
  return stated[stated.length - 1]?.[1]!.replace(/,$/, '') ?? null;
}
