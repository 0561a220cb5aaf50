/** Whether a document, or the projected part of one, has its form: what is wrong with it in one sentence, or null. */
import { z } from 'zod';
import type { Document } from 'mongodb';
import { schemaVersion } from '../documents.ts';
import type { DocumentForm } from './forms.ts';

/** `newer`: of a later program. `broken`: of no program. */
export interface Misfit {
  kind: 'newer' | 'broken';
  id: string;
  /** `usage.calls: expected number, received string`. */
  why: string;
}

export type DocumentCheck = (document: Document) => Misfit | null;

const seenAt = (root: unknown, path: readonly PropertyKey[]) => {
  const value = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null)?.[key], root);
  const shown = JSON.stringify(value) ?? 'nothing';
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
};

function misfitOf(schema: z.ZodType, document: Document): Misfit | null {
  const id = String(document._id);
  const version: unknown = document.schemaVersion;
  if (typeof version === 'number' && version > schemaVersion)
    return { kind: 'newer', id, why: `schema ${version}, this program knows ${schemaVersion}` };
  const parsed = schema.safeParse(document);
  if (parsed.success) return null;
  const { path, message } = parsed.error.issues[0]!;
  return { kind: 'broken', id, why: `${path.map(String).join('.')}: ${message}, seen ${seenAt(document, path)}` };
}

/** The form below `path` alone: projecting `a.b` gives `a` with nothing but `b`. */
function only(schema: z.ZodType, path: readonly string[]): z.ZodType {
  const [name, ...rest] = path;
  if (name === undefined) return schema;
  if (schema instanceof z.ZodNullable) return only(schema.unwrap() as z.ZodType, path).nullable();
  if (schema instanceof z.ZodOptional) return only(schema.unwrap() as z.ZodType, path).optional();
  if (!(schema instanceof z.ZodObject)) return schema;
  return z.looseObject({ [name]: only((schema.shape as Record<string, z.ZodType>)[name] ?? z.unknown(), rest) });
}

function projected({ fields }: DocumentForm, projection: Document): z.ZodType {
  const names = Object.entries(projection).filter(([name]) => name !== '_id');
  if (names.length === 0 && Boolean(projection._id)) return z.looseObject({});
  const included = names.filter(([, wanted]) => wanted).map(([name]) => name.split('.'));
  if (included.length === 0) {
    const left = new Set(names.map(([name]) => name));
    return z.looseObject(Object.fromEntries(Object.entries(fields).filter(([name]) => !left.has(name))));
  }
  const shape = included.map((path): [string, z.ZodType] => {
    const [name, ...rest] = path as [string, ...string[]];
    return [name, only(fields[name] ?? z.unknown(), rest)];
  });
  return z.looseObject(Object.fromEntries(shape));
}

/** Checks of one form: of whole documents, and of each projection that is asked for. */
export function checksOf(form: DocumentForm): (projection?: Document) => DocumentCheck {
  const whole = z.looseObject(form.fields);
  const made = new Map<string, DocumentCheck>();
  return (projection) => {
    const key = projection === undefined ? '' : JSON.stringify(projection);
    let check = made.get(key);
    if (check === undefined) {
      const schema = projection === undefined ? whole : projected(form, projection);
      check = (document) => misfitOf(schema, document);
      made.set(key, check);
    }
    return check;
  };
}
