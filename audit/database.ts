/**
 * The auditor's own way into the database: a connection that reads and never writes, and plain collections. Shares no code
 * with the store that workers write through, so that a mistake there is not repeated here.
 */
import { MongoClient } from 'mongodb';
import type { Collection, Db } from 'mongodb';
import { DomainError } from '../shared/errors.ts';
import type {
  CallDocument,
  CandidateDocument,
  CreditDocument,
  DesignDocument,
  EvaluationDocument,
  ExecutionDocument,
  IterationDocument,
  PolicyDocument,
  QuestionDocument,
  RunDocument,
  StageDocument,
  VerdictDocument,
} from '../activities/store/documents.ts';

export interface Database {
  runs: Collection<RunDocument>;
  questions: Collection<QuestionDocument>;
  stages: Collection<StageDocument>;
  iterations: Collection<IterationDocument>;
  designs: Collection<DesignDocument>;
  executions: Collection<ExecutionDocument>;
  calls: Collection<CallDocument>;
  verdicts: Collection<VerdictDocument>;
  credits: Collection<CreditDocument>;
  policies: Collection<PolicyDocument>;
  evaluations: Collection<EvaluationDocument>;
  candidates: Collection<CandidateDocument>;
  raw: Db;
  close(): Promise<void>;
}

export async function openDatabase(uri: string, database: string): Promise<Database> {
  const client = new MongoClient(uri, { appName: 'metaagentx audit', serverSelectionTimeoutMS: 15_000 });
  try {
    await client.connect();
  } catch (cause) {
    throw new DomainError(
      'StoreUnavailable',
      `the audit cannot reach the store: ${(cause as Error).message}`,
      {},
      { cause },
    );
  }
  const db = client.db(database);
  return {
    runs: db.collection('runs'),
    questions: db.collection('questions'),
    stages: db.collection('stages'),
    iterations: db.collection('iterations'),
    designs: db.collection('designs'),
    executions: db.collection('executions'),
    calls: db.collection('calls'),
    verdicts: db.collection('verdicts'),
    credits: db.collection('credits'),
    policies: db.collection('policies'),
    evaluations: db.collection('evaluations'),
    candidates: db.collection('candidates'),
    raw: db,
    close: () => client.close(),
  };
}

/** All documents whose id lies below a path. `0` is the character after `/`. */
export const below = (path: string) => ({ _id: { $gte: `${path}/`, $lt: `${path}0` } });
