/** `codec-server`: shows the Temporal UI what was encrypted, in the foreground until Ctrl-C. */
import { InvalidArgumentError } from 'commander';
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples, portNumber } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { readConfig, stateDirOf } from '../../settings.ts';
import { readRecord } from '../../stack/record.ts';
import { untilInterrupted } from '../../until-interrupted.ts';
import { DomainError } from '../../../shared/errors.ts';

interface Options {
  port: number;
  host: string;
  uiOrigin?: string;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .option('--port <n>', 'port; 0 takes any free one', portNumber, 8281)
      .option('--host <name>', 'address to listen at', '127.0.0.1')
      .option(
        '--ui-origin <url>',
        'the Temporal UI that may ask; default: TEMPORAL_UI_URL or the one of this clone',
        origin,
      )
      .addHelpText(
        'after',
        `
Needs the keys that workers and commands use: METAAGENTX_PAYLOAD_KEYS, METAAGENTX_PAYLOAD_KEYS_FILE or payloads.keysFile
of temporal.config.ts. Enter its address in the Temporal UI under "Configure Codec Server", or give it to the temporal
command with --codec-endpoint. It asks for no password: whoever reaches it can read all payloads.
` +
          examples(
            ['codec-server', 'for the Temporal UI of this clone, at http://127.0.0.1:8281'],
            ['codec-server --ui-origin https://temporal.example', 'for a Temporal UI of your own'],
          ),
      );
    act<Options>(command, (cli, _args, options) => serveCodec(cli, options));
  },
};

function origin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new InvalidArgumentError('expected http(s)://HOST[:PORT].');
  return url.origin;
}

async function serveCodec(cli: Cli, { port, host, uiOrigin }: Options): Promise<CommandResult> {
  const { environment } = cli;
  const [{ readPayloadKeys }, { encryptionCodec }, { codecApp }, { isLoopback, listen, namesOf }] = await Promise.all([
    import('../../../activities/payloads/keys.ts'),
    import('../../../activities/payloads/codec.ts'),
    import('../../codec-server/app.ts'),
    import('../../listen.ts'),
  ]);
  const keys = readPayloadKeys(environment, readConfig().payloads.keysFile);
  if (keys === null) {
    throw new DomainError(
      'InvalidConfig',
      'no payload keys are configured, so nothing is encrypted: set METAAGENTX_PAYLOAD_KEYS or METAAGENTX_PAYLOAD_KEYS_FILE',
    );
  }
  const known = environment.TEMPORAL_UI_URL || readRecord(stateDirOf(environment)).addresses?.uiUrl;
  const site = uiOrigin ?? (known ? origin(known) : null);
  if (site === null)
    throw new DomainError('InvalidInput', 'the address of the Temporal UI is not known: give --ui-origin URL');
  const app = codecApp({ codec: encryptionCodec(keys), uiOrigin: site, hosts: namesOf(host) });
  const served = await listen(app, 'the codec server', { host, port });
  cli.log(`codec server: ${cli.logPaint.bold(served.url)} for ${site}, keys ${keys.map(({ id }) => id).join(', ')}`);
  if (!isLoopback(host))
    cli.log('warning: it asks for no password; everybody who reaches this address can read all payloads');
  cli.log('Ctrl-C ends it');
  await untilInterrupted(cli.signal);
  await served.close();
  return { data: { url: served.url, uiOrigin: site }, text: '', exitCode: exitCodes.ok };
}
