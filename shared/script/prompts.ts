/** How much the prompts explain: `terse` for trained policies, `documented` for untrained instruction-tuned models. */
export type PromptForm = 'terse' | 'documented';
