/**
 * Which questions the policy can be asked at all: the Designer's prompt of each must fit the model's context with room
 * for at least one token of reply. Checked before a run starts; later calls that do not fit are outcomes of a design.
 */
import { openFolder } from '../activities/policy/huggingface/open-folder.ts';
import { checkCheckpoint } from '../activities/policy/huggingface/store-checkpoint.ts';
import { readTokenizer } from '../activities/policy/tokenizer-file.ts';
import { readTokenizerTexts } from '../activities/policy/tokenizer-texts.ts';
import { PolicyTokenizer } from '../activities/runtime/tokenizer/policy-tokenizer.ts';
import type { Store } from '../activities/store/connect.ts';
import type { PolicyDocument } from '../activities/store/documents.ts';
import type { Recipe } from '../shared/config/recipe.ts';
import type { Question } from '../shared/domain/question.ts';
import { DomainError } from '../shared/errors.ts';
import { designerMessages } from '../shared/script/designer-prompts.ts';
import { counted } from './view/numbers.ts';

export interface PromptRoom {
  /** Tokens of a prompt and its reply together. */
  context: number;
  /** Length of the Designer's prompt for the question, in tokens. */
  promptTokens: (question: Question) => number;
}

/**
 * Null where only the store (`storedRoom`) or an endpoint knows the model. Throws what makes the initial policy
 * unusable: a tokenizer or a Hugging Face folder that cannot be read or does not fit together.
 */
export async function promptRoomOf(recipe: Recipe): Promise<PromptRoom | null> {
  const { init } = recipe.policy;
  if (init.type === 'policy' || init.type === 'endpoint') return null;
  if (init.type === 'random') {
    return roomOf(recipe, PolicyTokenizer.load(await readTokenizer(init.tokenizer)), init.decoder.maxPositions);
  }
  const { tokenizer, context } = await readFolder(init);
  return roomOf(recipe, tokenizer, context);
}

/** The room of a run that begins with a stored version. */
export async function storedRoom(store: Store, policy: PolicyDocument, recipe: Recipe): Promise<PromptRoom> {
  const { vocabSize, maxPositions } = policy.decoder;
  return roomOf(recipe, PolicyTokenizer.of(await readTokenizerTexts(store, policy), vocabSize), maxPositions);
}

const roomOf = ({ prompts, designs }: Recipe, tokenizer: PolicyTokenizer, context: number): PromptRoom => ({
  context,
  promptTokens: ({ text }) => tokenizer.encodeChat(designerMessages(text, prompts.form, designs.tools)).length,
});

async function readFolder({ directory, maxPositions }: { directory: string; maxPositions?: number }) {
  const checkpoint = await openFolder(directory);
  const tokenizer = checkCheckpoint(checkpoint, maxPositions);
  return { tokenizer, context: maxPositions ?? checkpoint.decoder.maxPositions };
}

/** Bytes of a chat template around the messages, at most; a byte-level token holds at least one byte. */
const templateBytes = 512;

/** Tokens of the prompt where it does not fit, else null. Short texts are not tokenised. */
function excessOf(room: PromptRoom, question: Question, promptBytes: number): number | null {
  if (promptBytes + Buffer.byteLength(question.text) < room.context) return null;
  const tokens = room.promptTokens(question);
  return tokens >= room.context ? tokens : null;
}

export interface Fitting {
  questions: Question[];
  note: string | null;
}

/** The questions that fit. Throws `InvalidInput` naming the first that does not, unless `skipLong`. */
export function fitting(
  questions: readonly Question[],
  room: PromptRoom,
  recipe: Recipe,
  source: string,
  skipLong: boolean,
): Fitting {
  const frame = designerMessages('', recipe.prompts.form, recipe.designs.tools).reduce(
    (sum, { content }) => sum + content.length,
    0,
  );
  const kept: Question[] = [];
  let first: { id: string; tokens: number } | null = null;
  for (const question of questions) {
    const tokens = excessOf(room, question, frame + templateBytes);
    if (tokens === null) kept.push(question);
    else first ??= { id: question.id, tokens };
  }
  if (first === null) return { questions: kept, note: null };
  const long = `${counted(questions.length - kept.length, 'question')} of ${source}`;
  if (!skipLong || kept.length === 0) {
    throw new DomainError(
      'InvalidInput',
      `${long} do not fit the policy's context of ${room.context} tokens, first '${first.id}' with a Designer prompt of ${first.tokens}: ` +
        (kept.length === 0
          ? 'none is left. Use a policy with a longer context'
          : 'leave them out with --skip-long, or use a policy with a longer context'),
      { ...first, context: room.context },
    );
  }
  return { questions: kept, note: `left out ${long}: longer than the policy's context of ${room.context} tokens` };
}
