/**
 * Collections whose documents are checked as they are read: a broken document, or one of a newer program, is refused by
 * name before anybody reckons with it. Lists of many runs ask for what is sound and get told of the rest.
 */
import type { Collection, Document, Filter, FindOptions, WithId } from 'mongodb';
import { DomainError } from '../../shared/errors.ts';
import { checksOf } from './forms/check.ts';
import type { Misfit } from './forms/check.ts';
import type { DocumentForm } from './forms/forms.ts';

export interface SoundAndNot<Doc> {
  sound: WithId<Doc>[];
  /** In words: which document, and why it cannot be read. */
  refused: string[];
}

export interface CheckedCollection<Doc extends Document> extends Collection<Doc> {
  /** Documents that have their form, and what is to be said of the others; `find` and `findOne` throw instead. */
  findSound(filter: Filter<Doc>, options?: FindOptions): Promise<SoundAndNot<Doc>>;
}

const sentence = (noun: string, { kind, id, why }: Misfit): string =>
  kind === 'newer' ? `${noun} '${id}' was written by a newer program (${why})` : `${noun} '${id}' is broken: ${why}`;

function refusal(noun: string, misfit: Misfit): DomainError {
  const { kind, id, why } = misfit;
  if (kind === 'newer')
    return new DomainError('InvalidInput', `${sentence(noun, misfit)}; update this clone`, { id, why });
  const runId = id.split('/')[0];
  return new DomainError(
    'RecordBroken',
    `${sentence(noun, misfit)}. Nothing was changed. Put it back from a backup, or see docs/durability.md, "Broken documents"; all that is wrong with a run shows: npx metaagentx audit ${runId}`,
    { id, why },
  );
}

/** A projection that lists fields also fetches the schema version, unless it asks whether something is there at all. */
function withVersion(options: FindOptions | undefined): FindOptions | undefined {
  const projection = options?.projection;
  if (projection === undefined) return options;
  const wanted = Object.entries(projection).filter(([name, value]) => name !== '_id' && Boolean(value));
  return wanted.length === 0 ? options : { ...options, projection: { ...projection, schemaVersion: 1 } };
}

export function checked<Doc extends Document>(raw: Collection<Doc>, form: DocumentForm): CheckedCollection<Doc> {
  const checks = checksOf(form);
  const guard = (options: FindOptions | undefined) => {
    const misfit = checks(options?.projection);
    return (document: WithId<Doc>): WithId<Doc> => {
      const found = misfit(document);
      if (found !== null) throw refusal(form.noun, found);
      return document;
    };
  };
  const own = {
    find(filter: Filter<Doc> = {}, options?: FindOptions) {
      const asked = withVersion(options);
      return raw.find(filter, asked).map(guard(asked));
    },
    async findOne(filter: Filter<Doc> = {}, options?: FindOptions) {
      const asked = withVersion(options);
      const found = await raw.findOne(filter, asked);
      return found === null ? null : guard(asked)(found as WithId<Doc>);
    },
    async findSound(filter: Filter<Doc>, options?: FindOptions): Promise<SoundAndNot<Doc>> {
      const asked = withVersion(options);
      const misfit = checks(asked?.projection);
      const found = (await raw.find(filter, asked).toArray()).map((document) => ({
        document,
        found: misfit(document),
      }));
      return {
        sound: found.flatMap((each) => (each.found === null ? [each.document] : [])),
        refused: found.flatMap((each) => (each.found === null ? [] : [sentence(form.noun, each.found)])),
      };
    },
  };
  return Object.assign(Object.create(raw) as Collection<Doc>, own);
}
