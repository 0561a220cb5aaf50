/** A tokenizer.json of so many words, for engine tests that look at ids only. */
export function wordTokenizer(size: number): string {
  const vocab = Object.fromEntries(Array.from({ length: size }, (_, id) => [`w${id}`, id]));
  return JSON.stringify({
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: 'w0' },
  });
}
