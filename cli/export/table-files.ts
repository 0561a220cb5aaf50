/**
 * One table as two files: JSONL, and Parquet (snappy; a row group a batch, so that memory holds one batch at a time).
 * Written beside their names first and renamed when whole.
 */
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { SchemaElement } from 'hyparquet';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { ColumnType, Row, TablePlan } from './tables.ts';

const scalars = {
  STRING: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  INT32: { type: 'INT32' },
  DOUBLE: { type: 'DOUBLE' },
  BOOLEAN: { type: 'BOOLEAN' },
} as const;

/** Lists in the three levels that the format asks for. */
function elementsOf(name: string, type: ColumnType): SchemaElement[] {
  if (type !== 'INT32[]' && type !== 'FLOAT[]') return [{ name, repetition_type: 'OPTIONAL', ...scalars[type] }];
  return [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', type: type === 'INT32[]' ? 'INT32' : 'FLOAT' },
  ];
}

export class TableFiles {
  readonly #plan: TablePlan;
  readonly #folder: string;
  readonly #lines: WriteStream;
  readonly #parquet: ParquetWriter;
  rows = 0;

  /** `runId` and `program` are written into the file's own metadata. */
  constructor(plan: TablePlan, folder: string, { runId, program }: { runId: string; program: string }) {
    this.#plan = plan;
    this.#folder = folder;
    this.#lines = createWriteStream(this.#partial('jsonl'));
    const columns = Object.entries(plan.columns);
    this.#parquet = new ParquetWriter({
      writer: fileWriter(this.#partial('parquet')),
      schema: [
        { name: 'root', num_children: columns.length },
        ...columns.flatMap(([name, type]) => elementsOf(name, type)),
      ],
      createdBy: `metaagentx ${program}`,
      kvMetadata: [{ key: 'metaagentx.run', value: runId }],
    });
  }

  #partial(ending: string): string {
    return join(this.#folder, `.${this.#plan.name}.${ending}.partial`);
  }

  async write(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const names = Object.keys(this.#plan.columns);
    const columnData = names.map((name) => ({ name, data: rows.map((row) => row[name] ?? null) }));
    await this.#parquet.write({ columnData, rowGroupSize: rows.length });
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    if (!this.#lines.write(text)) await once(this.#lines, 'drain');
    this.rows += rows.length;
  }

  /** Names of the finished files. */
  async finish(): Promise<string[]> {
    await this.#parquet.finish();
    this.#lines.end();
    await finished(this.#lines);
    const names = ['parquet', 'jsonl'].map((ending) => `${this.#plan.name}.${ending}`);
    await Promise.all([
      rename(this.#partial('parquet'), join(this.#folder, names[0]!)),
      rename(this.#partial('jsonl'), join(this.#folder, names[1]!)),
    ]);
    return names;
  }
}
