/** The `metaagentx` command in this process: exit code and what it prints where. */
import { main } from '../../cli/main.ts';

export interface CommandRun {
  code: number;
  /** The object that `--json` prints. */
  data: ReturnType<JSON['parse']>;
  log: string;
}

function sink() {
  let text = '';
  return {
    stream: {
      write: (chunk: string | Uint8Array) => ((text += String(chunk)), true),
      isTTY: false as never,
      columns: 100,
    },
    text: () => text,
  };
}

/** Runs one command line as it stands; servers are what `environment` says. */
export async function runCommandLine(argv: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const [stdout, stderr] = [sink(), sink()];
  const code = await main(argv, {
    environment: { NO_COLOR: '1', ...environment },
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: new AbortController().signal,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** Runs one command line with `--json`, against the test servers. */
export async function metaagentx(...argv: string[]): Promise<CommandRun> {
  const { code, stdout, stderr } = await runCommandLine([...argv, '--json'], process.env);
  return { code, data: stdout === '' ? {} : JSON.parse(stdout), log: stderr };
}
