/**
 * Child of mongo.mjs: lets mongodb-memory-server-core download a real mongod into the folder given as first argument and
 * prints its path. A process of its own, so that a hanging download can be ended.
 */
import { MongoBinary } from 'mongodb-memory-server-core';

try {
  const path = await MongoBinary.getPath({ downloadDir: process.argv[2], systemBinary: '' });
  process.stdout.write(`${path}\n`, () => process.exit(0));
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`, () => process.exit(1));
}
