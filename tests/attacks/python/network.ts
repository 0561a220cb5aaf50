/** Attacks through sockets: leaving the machine, reaching services on it, talking to other programs. */
import { refusals, text } from './attack.ts';
import type { Attack } from './attack.ts';

export const networkAttacks: readonly Attack[] = [
  {
    name: 'TCP to a service of the host',
    source: (bait) => refusals(`socket.create_connection(('127.0.0.1', ${bait.port}), 0.5)`)(),
  },
  { name: 'UDP', source: refusals("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))") },
  { name: 'listen', source: refusals("socket.create_server(('127.0.0.1', 0))") },
  {
    name: 'Unix socket of the host',
    source: (bait) => refusals(`socket.socket(socket.AF_UNIX).connect(${JSON.stringify(bait.socketFile)})`)(),
  },
  { name: 'abstract socket', source: refusals("socket.socket(socket.AF_UNIX).bind('\\0metaagentx-probe')") },
  { name: 'pair of sockets', source: refusals('socket.socketpair()') },
  { name: 'netlink and packet sockets', source: refusals('socket.socket(16, 3, 0)', 'socket.socket(17, 3, 0)') },
  {
    name: 'name look-up',
    source: text(
      "import socket\ntry:\n    print('ESCAPED', socket.getaddrinfo('localhost', 80))\nexcept OSError: print('refused')",
    ),
    ends: ['ok', 'runtime-error'],
  },
];
