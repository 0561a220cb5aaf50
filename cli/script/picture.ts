/** A design's structure, or an execution as it ran, as text, Mermaid or SVG: on stdout or into a file. */
import { writeFile } from 'node:fs/promises';
import { DomainError } from '../../shared/errors.ts';
import {
  renderStructureMermaid,
  renderStructureText,
  renderTraceMermaid,
  renderTraceText,
} from '../../shared/script/render.ts';
import type { DesignStructure } from '../../shared/script/structure.ts';
import type { StructureTrace } from '../../shared/script/trace.ts';
import { structureSvg, traceSvg } from './svg.ts';

export const pictureForms = ['text', 'mermaid', 'svg'] as const;

export interface PictureOptions {
  picture: (typeof pictureForms)[number];
  out?: string;
}

type Subject = { structure: DesignStructure } | { trace: StructureTrace };

const drawings = {
  text: { structure: renderStructureText, trace: renderTraceText },
  mermaid: { structure: renderStructureMermaid, trace: renderTraceMermaid },
  svg: { structure: structureSvg, trace: traceSvg },
};

/** What to print, and what to add to the JSON object. Throws `InvalidInput` for a file that cannot be written. */
export async function showPicture(
  subject: Subject,
  { picture, out }: PictureOptions,
): Promise<{ text: string; data: Record<string, unknown> }> {
  const { structure, trace } = drawings[picture];
  const drawn = 'structure' in subject ? structure(subject.structure) : trace(subject.trace);
  const data = picture === 'text' ? {} : { picture: drawn };
  if (out === undefined) return { text: drawn, data };
  await writeFile(out, `${drawn}\n`).catch((cause: Error) => {
    throw new DomainError('InvalidInput', `cannot write '${out}': ${cause.message}`, { out }, { cause });
  });
  return { text: `drawn into ${out}`, data: { ...data, out } };
}
