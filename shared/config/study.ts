/**
 * What a study is made of: one recipe, variants of it, seeds. Every variant is trained or measured once a seed; a grid of
 * axes adds the cross product of their values. Unknown keys are errors.
 */
import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'use a-z, 0-9 and -');
const count = z.int().positive();
/** `path=value` changes of the recipe, as `train --set` takes them. */
const changes = z.array(z.string().includes('='));

const variantSchema = z.strictObject({
  set: changes.default([]),
  /** Name of a system under comparison (`eval systems`); MetaAgent-X unless told. */
  system: z.string().optional(),
  /** Settings of a system that is searched for. */
  search: z.strictObject({ rounds: count.optional(), questions: count.optional(), calls: count.optional() }).optional(),
});

export const studySchema = z.strictObject({
  name,
  description: z.string(),
  /** Name of a recipe in `runs/`, or path of a recipe file. */
  recipe: z.string().min(1),
  /** Changes for all variants. */
  set: changes.default([]),
  seeds: z.array(z.int().min(0)).min(1),
  /** Every run starts from its seed's one cold start, so that variants differ in what comes after it alone. */
  sharedColdStart: z.boolean().default(true),
  /** Take the cold starts of another study, which must have the same recipe, `set` and seeds; saves training them anew. */
  coldStartsOf: name.optional(),
  variants: z.record(name, variantSchema).default({}),
  /** The cross product of the axes' values adds a variant each, named by its values: `coupled_k10`. */
  axes: z.record(name, z.record(name, changes)).default({}),
  /** What one answer may cost in every measurement: `calls=N` or `tokens=N`. */
  budget: z.string().optional(),
  /** Runs that train at the same time. */
  concurrentRuns: z.int().positive().default(1),
});

export type StudyInput = z.input<typeof studySchema>;
export type Study = z.output<typeof studySchema>;

/** Identity; gives editors the study's type. */
export const defineStudy = (study: StudyInput): StudyInput => study;
