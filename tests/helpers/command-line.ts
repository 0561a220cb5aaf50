/** The `metaagentx` command in this process, against the test servers: exit code, the JSON object, the log lines. */
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

/** Runs one command line with `--json`. */
export async function metaagentx(...argv: string[]): Promise<CommandRun> {
  const [stdout, stderr] = [sink(), sink()];
  const code = await main([...argv, '--json'], {
    environment: process.env,
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: new AbortController().signal,
  });
  const printed = stdout.text();
  return { code, data: printed === '' ? {} : JSON.parse(printed), log: stderr.text() };
}
