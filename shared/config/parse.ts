/** Turns bad configuration into one `InvalidConfig` that names every field, the value seen and what was expected. */
import type { z } from 'zod';
import { DomainError } from '../errors.ts';

const show = (value: unknown) => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      value === null || typeof value !== 'object' ? undefined : (value as Record<PropertyKey, unknown>)[key],
    root,
  );
}

/** Parses `value` by `schema`; `where` names its source in the message. Throws `InvalidConfig`. */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const path = issue.path.map(String).join('.') || '(top level)';
    const seen = issue.code === 'unrecognized_keys' ? '' : ` (seen: ${show(valueAt(value, issue.path))})`;
    return `  ${path}: ${issue.message}${seen}`;
  });
  throw new DomainError('InvalidConfig', `${where} is not valid:\n${problems.join('\n')}`, {
    where,
    fields: parsed.error.issues.map((issue) => issue.path.map(String).join('.')),
  });
}
