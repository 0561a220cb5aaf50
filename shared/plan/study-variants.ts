/** A study's variants: those written out, then the cross product of its axes, in a fixed order. */
import type { Study } from '../config/study.ts';
import { DomainError } from '../errors.ts';

type StudySearch = NonNullable<Study['variants'][string]['search']>;

export interface Variant {
  name: string;
  /** Changes of the recipe, the study's own first. */
  set: string[];
  /** Null: MetaAgent-X. */
  system: string | null;
  search: StudySearch;
}

/** Throws `InvalidConfig` where there is none or a name is taken twice. */
export function variantsOf(study: Study): Variant[] {
  const written = Object.entries(study.variants).map(([name, { set, system, search }]) => ({
    name,
    set: [...study.set, ...set],
    system: system ?? null,
    search: search ?? {},
  }));
  const variants = [...written, ...crossProduct(study)];
  const names = variants.map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (variants.length === 0 || double !== undefined) {
    throw new DomainError(
      'InvalidConfig',
      double === undefined
        ? `study '${study.name}' has neither variants nor axes: nothing would be run`
        : `study '${study.name}' has two variants named '${double}'`,
    );
  }
  return variants;
}

function crossProduct({ axes, set }: Study): Variant[] {
  const all = Object.values(axes).map((values) => Object.entries(values));
  if (all.length === 0) return [];
  const points = all.reduce<{ names: string[]; set: string[] }[]>(
    (sofar, values) =>
      sofar.flatMap((point) =>
        values.map(([name, changes]) => ({ names: [...point.names, name], set: [...point.set, ...changes] })),
      ),
    [{ names: [], set: [...set] }],
  );
  return points.map((point) => ({ name: point.names.join('_'), set: point.set, system: null, search: {} }));
}
