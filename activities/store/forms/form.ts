/**
 * Parts of the documents' forms. A form says of every field what it must be when a document is read; fields that it does
 * not name may be there. `documents.ts` says what the fields mean.
 */
import { Binary } from 'mongodb';
import { z } from 'zod';
import type { ChatMessage, SamplingSettings } from '../../../shared/domain/sampling.ts';
import type { Role } from '../../../shared/domain/role.ts';
import type { ModelCost, Usage } from '../../../shared/domain/usage.ts';
import type { ScriptProblem } from '../../../shared/script/outcomes.ts';
import type { Budget } from '../../../shared/systems/system.ts';
import type { DatasetReference, PolicyPart, TrajectoryFields } from '../documents.ts';

/** One schema a field, none left out; a field may be absent exactly where the document's type says so. */
export type Fields<Doc> = {
  [Name in keyof Doc]-?: unknown extends Doc[Name]
    ? z.ZodType<Doc[Name]>
    : undefined extends Doc[Name]
      ? z.ZodOptional<z.ZodType<Exclude<Doc[Name], undefined>>>
      : z.ZodType<Doc[Name]>;
};

/** An object of which `Of` is the type. */
export const object = <Of>(fields: Fields<Of>) => z.looseObject(fields) as unknown as z.ZodType<Of>;

/** Every document has these. */
export const identity = { _id: z.string(), schemaVersion: z.int(), createdAt: z.date() };

export const text = z.string();
export const count = z.int().min(0);
/** Any number, also one that is not finite: a diverged run's metrics are records too. */
export const real = z.custom<number>((value) => typeof value === 'number', 'Invalid input: expected number');
export const packed = z.instanceof(Binary);
export const texts = z.record(text, text);
export const numbers = z.record(text, real);
export const counts = z.record(text, count);
export const role: z.ZodType<Role> = z.enum(['designer', 'executor']);
export const part: z.ZodType<PolicyPart> = z.enum(['shared', 'designer', 'executor']);
export const promptForm = z.enum(['terse', 'documented']);

export const budget = object<Budget>({ unit: z.enum(['calls', 'tokens']), amount: real });
export const modelCost = object<ModelCost>({ calls: count, promptTokens: count, responseTokens: count });
export const usage = object<Usage>({ calls: count, promptTokens: count, responseTokens: count, toolCalls: count });
export const dataset = object<DatasetReference>({ digest: text, name: text, count });
export const problem = object<ScriptProblem>({
  message: text,
  line: count.nullable(),
  column: count.nullable(),
});
export const chatMessage = object<ChatMessage>({ role: z.enum(['system', 'user', 'assistant']), content: text });
const sampling = object<SamplingSettings>({
  temperature: real,
  topP: real,
  topK: real,
  minP: real,
  maxTokens: count,
  stopStrings: z.array(text),
});
export const trajectory: Fields<TrajectoryFields> = {
  policyVersion: count,
  part,
  seedKey: text,
  sampling,
  promptIds: packed,
  tokenIds: packed,
  logProbs: packed,
  finishReason: z.enum(['stop', 'length']),
  promptTokens: count,
  responseTokens: count,
};
