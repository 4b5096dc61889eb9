// The program sees all files, its arguments and its environment.
const { readFileSync } = require('node:fs');
const { WASI } = require('node:wasi');

const args = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args, env: process.env, preopens: { '/': '/' } });
const program = new WebAssembly.Module(readFileSync(args[0]));
process.exitCode = wasi.start(new WebAssembly.Instance(program, wasi.getImportObject()));
