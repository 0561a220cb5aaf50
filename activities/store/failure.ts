/** The driver's errors by what can be done about them. */
import { BSON, MongoError, MongoInvalidArgumentError, MongoMissingDependencyError, MongoServerError } from 'mongodb';

/** BadValue, FailedToParse, TypeMismatch, DocumentValidationFailure, BSONObjectTooLarge, KeyTooLong: the same write fails again. */
const refused: readonly unknown[] = [2, 9, 14, 121, 10334, 17280];

/** `unavailable`: try again. `refused`: the write itself is wrong. Null: not the store's error. */
export function storeFailure(error: unknown): 'unavailable' | 'refused' | null {
  if (error instanceof BSON.BSONError) return 'refused';
  if (!(error instanceof MongoError)) return null;
  if (error instanceof MongoInvalidArgumentError || error instanceof MongoMissingDependencyError) return 'refused';
  return error instanceof MongoServerError && refused.includes(error.code) ? 'refused' : 'unavailable';
}
