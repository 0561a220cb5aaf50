/** Every command: its name, the group and line of the overview, and the file that knows the rest. */
import type { CommandFile } from '../command.ts';

interface CommandEntry {
  name: string;
  group: string;
  summary: string;
  load: () => Promise<{ command: CommandFile }>;
}

const training = 'Train:';
const looking = 'Look:';
const measuring = 'Measure:';
const running = 'Servers and workers:';
const tools = 'Questions, policies and scripts:';

export const commandTable: readonly CommandEntry[] = [
  { name: 'train', group: training, summary: 'start a run and watch it', load: () => import('./training/train.ts') },
  {
    name: 'resume',
    group: training,
    summary: 'go on with a run, wherever it stands',
    load: () => import('./training/resume.ts'),
  },
  {
    name: 'pause',
    group: training,
    summary: 'let a run wait after its current iteration',
    load: () => import('./training/pause.ts'),
  },
  { name: 'unpause', group: training, summary: 'let a paused run go on', load: () => import('./training/unpause.ts') },
  {
    name: 'stop',
    group: training,
    summary: 'end a run after its current iteration, or now',
    load: () => import('./training/stop.ts'),
  },
  {
    name: 'decide',
    group: training,
    summary: 'answer a run whose loss is not finite',
    load: () => import('./training/decide.ts'),
  },
  {
    name: 'fork',
    group: training,
    summary: 'start a run from a version of another one',
    load: () => import('./training/fork.ts'),
  },
  { name: 'list', group: looking, summary: 'list the runs', load: () => import('./reading/list.ts') },
  { name: 'status', group: looking, summary: 'show where a run stands', load: () => import('./reading/status.ts') },
  {
    name: 'inspect',
    group: looking,
    summary: 'show any part of a run, down to one model call',
    load: () => import('./reading/inspect.ts'),
  },
  {
    name: 'eval',
    group: measuring,
    summary: 'measure a policy version on questions',
    load: () => import('./measuring/eval.ts'),
  },
  {
    name: 'solve',
    group: measuring,
    summary: 'let a run answer one question',
    load: () => import('./measuring/solve.ts'),
  },
  {
    name: 'study',
    group: measuring,
    summary: 'run a grid of variants and seeds, and make one table',
    load: () => import('./measuring/study.ts'),
  },
  {
    name: 'coldstart',
    group: training,
    summary: 'collect examples from a teacher, and train on them',
    load: () => import('./training/coldstart.ts'),
  },
  {
    name: 'audit',
    group: looking,
    summary: 'prove that a run is whole',
    load: () => import('./reading/audit.ts'),
  },
  {
    name: 'report',
    group: looking,
    summary: 'write what a run learned as one file',
    load: () => import('./reading/report.ts'),
  },
  {
    name: 'export',
    group: looking,
    summary: 'write trajectories and credits as Parquet and JSONL',
    load: () => import('./reading/export.ts'),
  },
  { name: 'ui', group: looking, summary: 'show runs in the browser', load: () => import('./reading/ui.ts') },
  { name: 'up', group: running, summary: 'run servers and workers until Ctrl-C', load: () => import('./system/up.ts') },
  {
    name: 'down',
    group: running,
    summary: 'stop servers and workers of this clone',
    load: () => import('./system/down.ts'),
  },
  {
    name: 'gc',
    group: running,
    summary: 'remove what no policy version needs',
    load: () => import('./system/gc.ts'),
  },
  {
    name: 'repair',
    group: running,
    summary: 'make damaged weights of a version again',
    load: () => import('./system/repair.ts'),
  },
  { name: 'worker', group: running, summary: 'run one worker', load: () => import('./system/worker.ts') },
  {
    name: 'deployment',
    group: running,
    summary: 'upgrade control workers while runs go on',
    load: () => import('./system/deployment.ts'),
  },
  {
    name: 'codec-server',
    group: running,
    summary: 'show the Temporal UI what is encrypted',
    load: () => import('./system/codec-server.ts'),
  },
  {
    name: 'doctor',
    group: running,
    summary: 'check this machine and this clone',
    load: () => import('./system/doctor.ts'),
  },
  {
    name: 'questions',
    group: tools,
    summary: 'make, look at and arrange questions files',
    load: () => import('./questions/questions.ts'),
  },
  {
    name: 'policy',
    group: tools,
    summary: 'import, export and show policies',
    load: () => import('./tools/policy.ts'),
  },
  { name: 'script', group: tools, summary: 'check and run a design script', load: () => import('./tools/script.ts') },
  {
    name: 'verify',
    group: tools,
    summary: 'judge an answer the way training does',
    load: () => import('./tools/verify.ts'),
  },
];
