/** The collections with their indexes and validators, created before the first write so that duplicates cannot arise. */
import { isDeepStrictEqual } from 'node:util';
import type { Db, Document, IndexDescription } from 'mongodb';
import { checked } from './checked.ts';
import type { CheckedCollection } from './checked.ts';
import type {
  CallDocument,
  CreditDocument,
  DatasetDocument,
  DesignDocument,
  EvaluationDocument,
  CandidateDocument,
  SearchDocument,
  SftExampleDocument,
  SftSetDocument,
  StudyDocument,
  SystemDocument,
  ExecutionDocument,
  IterationDocument,
  PolicyDocument,
  QuestionDocument,
  RunDocument,
  StageDocument,
  VerdictDocument,
} from './documents.ts';
import { schemaVersion } from './documents.ts';
import { forms } from './forms/forms.ts';

export interface Collections {
  runs: CheckedCollection<RunDocument>;
  datasets: CheckedCollection<DatasetDocument>;
  questions: CheckedCollection<QuestionDocument>;
  stages: CheckedCollection<StageDocument>;
  iterations: CheckedCollection<IterationDocument>;
  designs: CheckedCollection<DesignDocument>;
  executions: CheckedCollection<ExecutionDocument>;
  calls: CheckedCollection<CallDocument>;
  verdicts: CheckedCollection<VerdictDocument>;
  credits: CheckedCollection<CreditDocument>;
  policies: CheckedCollection<PolicyDocument>;
  evaluations: CheckedCollection<EvaluationDocument>;
  systems: CheckedCollection<SystemDocument>;
  studies: CheckedCollection<StudyDocument>;
  searches: CheckedCollection<SearchDocument>;
  candidates: CheckedCollection<CandidateDocument>;
  sftSets: CheckedCollection<SftSetDocument>;
  sftExamples: CheckedCollection<SftExampleDocument>;
}

interface CollectionPlan {
  indexes: IndexDescription[];
  /** Fields that every document must have, with their BSON types. */
  required: Record<string, string | string[]>;
}

const number = ['int', 'long', 'double'];
const byBatch: IndexDescription[] = [{ key: { batchId: 1 } }];

const plans: Record<keyof Collections, CollectionPlan> = {
  runs: { indexes: [{ key: { status: 1 } }], required: { recipe: 'object', plan: 'object', status: 'string' } },
  datasets: { indexes: [], required: { name: 'string', count: number } },
  questions: {
    indexes: [{ key: { digest: 1, index: 1 }, unique: true }],
    required: { digest: 'string', index: number, question: 'object' },
  },
  stages: {
    indexes: [{ key: { runId: 1, stage: 1 }, unique: true }],
    required: { runId: 'string', stage: number, learner: 'string' },
  },
  iterations: {
    indexes: [{ key: { runId: 1, stage: 1, iteration: 1 }, unique: true }],
    required: { runId: 'string', stage: number, iteration: number, policyIn: number, policyOut: number },
  },
  designs: {
    indexes: [{ key: { rolloutId: 1, design: 1 }, unique: true }, ...byBatch],
    required: { runId: 'string', rolloutId: 'string', outcome: 'string', tokenIds: 'binData', logProbs: 'binData' },
  },
  executions: {
    indexes: [{ key: { designId: 1, execution: 1 }, unique: true }, { key: { rolloutId: 1 } }, ...byBatch],
    required: { runId: 'string', designId: 'string', outcome: 'string', usage: 'object' },
  },
  calls: {
    indexes: [{ key: { executionId: 1, call: 1 }, unique: true }, ...byBatch],
    required: { runId: 'string', executionId: 'string', call: number, kind: 'string', hash: 'string' },
  },
  verdicts: {
    indexes: [{ key: { rolloutId: 1 } }, ...byBatch],
    required: { runId: 'string', rolloutId: 'string', reward: number },
  },
  credits: {
    indexes: [{ key: { batchId: 1, role: 1 } }, { key: { rolloutId: 1 } }],
    required: { runId: 'string', role: 'string', reward: number, baseline: number, advantage: number },
  },
  policies: {
    indexes: [{ key: { runId: 1, version: 1 }, unique: true }],
    required: { runId: 'string', version: number, parts: 'object', madeBy: 'string' },
  },
  evaluations: {
    indexes: [{ key: { runId: 1, name: 1 }, unique: true }],
    required: { runId: 'string', name: 'string', policyVersion: number, metrics: 'object' },
  },
  systems: {
    indexes: [{ key: { runId: 1 } }],
    required: { runId: 'string', system: 'string', source: 'object' },
  },
  searches: { indexes: [{ key: { runId: 1 } }], required: { runId: 'string', system: 'string', settings: 'object' } },
  candidates: {
    indexes: [{ key: { searchId: 1, number: 1 }, unique: true }],
    required: { runId: 'string', searchId: 'string', number, origin: 'string' },
  },
  sftSets: { indexes: [], required: { batchId: 'string', teacher: 'object', examples: 'object' } },
  sftExamples: { indexes: [{ key: { setId: 1 } }], required: { setId: 'string', role: 'string', response: 'string' } },
  studies: { indexes: [], required: { study: 'object', plan: 'object', status: 'string' } },
};

/** Named by the schema version, so that an older program that starts later does not take it back. */
const titleOf = (version: number) => `schema ${version}`;

function validatorOf(required: CollectionPlan['required']): Document {
  const fields = { _id: 'string', schemaVersion: number, ...required };
  const properties = Object.fromEntries(Object.entries(fields).map(([name, bsonType]) => [name, { bsonType }]));
  return {
    $jsonSchema: { bsonType: 'object', title: titleOf(schemaVersion), required: Object.keys(fields), properties },
  };
}

/** The schema version that a collection's validator was written for; 0 where it has none of ours. */
function versionOf(validator: Document | undefined): number {
  const schema = validator?.$jsonSchema as { title?: string } | undefined;
  return Number(/^schema (\d+)$/.exec(schema?.title ?? '')?.[1] ?? 0);
}

/** Collections that `blobs.ts` keeps, with the indexes that GridFS prescribes. */
const blobIndexes: Record<string, IndexDescription[]> = {
  'weights.files': [{ key: { filename: 1, uploadDate: 1 } }],
  'weights.chunks': [{ key: { files_id: 1, n: 1 }, unique: true }],
  claims: [{ key: { digest: 1 } }, { key: { claimant: 1 } }],
};

/** Indexes of earlier versions that would refuse what is right today. */
const obsolete: Partial<Record<keyof Collections, string>> = { calls: 'executionId_1_sequence_1' };

/**
 * Creates what is missing and brings validators up to date; safe to call from many processes at once. Indexes are asked
 * for every time: a process may have been killed between a collection and its indexes.
 */
export async function ensureCollections(db: Db): Promise<Collections> {
  const listed = await db.listCollections().toArray();
  const present = new Map(listed.map((entry) => [entry.name, optionsOf(entry)]));
  await Promise.all(
    Object.entries(plans).map(async ([name, { indexes, required }]) => {
      const validator = validatorOf(required);
      const options = present.get(name);
      if (options === undefined) await db.createCollection(name, { validator }).catch(ignoreExisting);
      else if (isOlder(options.validator, validator)) await db.command({ collMod: name, validator });
      const old = obsolete[name as keyof Collections];
      if (old !== undefined && options !== undefined) await db.collection(name).dropIndex(old).catch(ignoreMissing);
      if (indexes.length > 0) await db.collection(name).createIndexes(indexes);
    }),
  );
  await Promise.all(Object.entries(blobIndexes).map(([name, indexes]) => db.collection(name).createIndexes(indexes)));
  const open = (name: string) => checked(db.collection(name), forms[name as keyof Collections]);
  return Object.fromEntries(Object.keys(plans).map((name) => [name, open(name)])) as unknown as Collections;
}

const isOlder = (stored: Document | undefined, validator: Document) =>
  versionOf(stored) <= schemaVersion && !isDeepStrictEqual(stored, validator);

const optionsOf = (entry: object): { validator?: Document } =>
  (entry as { options?: { validator?: Document } }).options ?? {};

const unless =
  (code: number) =>
  (error: unknown): void => {
    if ((error as { code?: number }).code !== code) throw error;
  };
const ignoreExisting = unless(48);
const ignoreMissing = unless(27);
