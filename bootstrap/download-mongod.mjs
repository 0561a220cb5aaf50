/**
 * Child of mongo.mjs: lets mongodb-memory-server-core download a real mongod into the folder given as first argument and
 * prints its path. A process of its own, so that a hanging download can be ended.
 */
import { MongoBinary } from 'mongodb-memory-server-core';

const downloadDir = process.argv[2];
const path = await MongoBinary.getPath({ downloadDir, systemBinary: '' });
process.stdout.write(`${path}\n`);
process.exit(0);
