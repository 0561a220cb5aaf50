/**
 * JSON as Python writes it, with numbers kept as text: integers of any length stay exact and 1.0 stays a float.
 * Also reads NaN, Infinity and -Infinity. Knows nothing of tests.
 */
export type JsonTree =
  | null
  | boolean
  | string
  | { number: string }
  | readonly JsonTree[]
  | { readonly members: ReadonlyMap<string, JsonTree> };

const token =
  /\s*(?:([[\]{},:])|("(?:[^"\\]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|NaN|-?Infinity)|(true|false|null)\b)/y;

/** Throws `SyntaxError` with the position of the first thing that is not JSON. Nesting is limited to 1000. */
export function parseJson(text: string): JsonTree {
  const reader = new Reader(text);
  const tree = reader.value(reader.next(), 0);
  reader.end();
  return tree;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): string {
    token.lastIndex = this.#at;
    const match = token.exec(this.#text);
    if (match === null) this.#fail();
    this.#at = token.lastIndex;
    return match[0].trimStart();
  }

  end(): void {
    if (this.#text.slice(this.#at).trim() !== '') this.#fail();
  }

  value(first: string, depth: number): JsonTree {
    if (depth > 1000) this.#fail();
    if (first === '[') return this.#array(depth);
    if (first === '{') return { members: this.#members(depth) };
    if (first.startsWith('"')) return this.#string(first);
    if (first === 'null') return null;
    if (first === 'true' || first === 'false') return first === 'true';
    if (/^[\]},:]$/.test(first)) this.#fail();
    return { number: first };
  }

  #array(depth: number): JsonTree[] {
    const items: JsonTree[] = [];
    let first = this.next();
    if (first === ']') return items;
    for (;;) {
      items.push(this.value(first, depth + 1));
      const after = this.next();
      if (after === ']') return items;
      if (after !== ',') this.#fail();
      first = this.next();
    }
  }

  #members(depth: number): Map<string, JsonTree> {
    const members = new Map<string, JsonTree>();
    let key = this.next();
    if (key === '}') return members;
    for (;;) {
      if (!key.startsWith('"') || this.next() !== ':') this.#fail();
      members.set(this.#string(key), this.value(this.next(), depth + 1));
      const after = this.next();
      if (after === '}') return members;
      if (after !== ',') this.#fail();
      key = this.next();
    }
  }

  #string(quoted: string): string {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return this.#fail();
    }
  }

  #fail(): never {
    throw new SyntaxError(`not JSON at position ${this.#at}: ${this.#text.slice(this.#at, this.#at + 40)}`);
  }
}
