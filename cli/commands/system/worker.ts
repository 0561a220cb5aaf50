/** `worker`: one worker process in the foreground, for machines of their own or for a closer look. */
import { spawn } from 'node:child_process';
import { Argument } from 'commander';
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { cloneRoot } from '../../settings.ts';
import type { WorkerRole } from '../../stack/worker-process.ts';

export const command: CommandFile = {
  define(command, act) {
    command
      .addArgument(new Argument('<queue>', 'which work it does').choices(['control', 'gpu', 'sandbox', 'all']))
      .addHelpText(
        'after',
        examples(
          ['worker all', 'all three queues in one process, beside the servers of `metaagentx up --no-workers`'],
          ['worker gpu', 'only model work; TEMPORAL_ADDRESS and MONGODB_URI say where the servers are'],
        ),
      );
    act(command, (cli, [queue]) => work(cli, queue as WorkerRole));
  },
};

async function work(cli: Cli, queue: WorkerRole): Promise<CommandResult> {
  const [{ withSession }, { workerCommand, workerEnvironment }] = await Promise.all([
    import('../../session.ts'),
    import('../../stack/worker-process.ts'),
  ]);
  return withSession(cli, { stack: 'joined', workers: 'none' }, async ({ addresses, stack }) => {
    const { program, args } = workerCommand(queue);
    const child = spawn(program, args, {
      cwd: cloneRoot,
      env: workerEnvironment(queue, { addresses, stateDir: stack.stateDir }),
      // The worker's "ready" line is a log line here: stdout is for the result.
      stdio: ['ignore', process.stderr, process.stderr],
    });
    cli.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGTERM' ? 0 : 1)));
    });
    return { data: { queue, exitCode }, text: '', exitCode };
  });
}
