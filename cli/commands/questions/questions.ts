/** `questions`: published benchmarks into questions files, and what can be done with such files. */
import type { CommandFile } from '../../command.ts';
import { defineArranging } from './arrange.ts';
import { defineImport } from './import.ts';
import { defineLooking } from './look.ts';
import { definePull } from './pull.ts';

export const command: CommandFile = {
  define(command, act) {
    command.description(
      'Makes questions files (one question a line, docs/questions.md) from published benchmarks, and works on them.',
    );
    defineImport(command, act);
    definePull(command, act);
    defineLooking(command, act);
    defineArranging(command, act);
  },
};
