// TensorFlow Lite's own interpreter, as WebAssembly of the npm package @tensorflow/tfjs-tflite, on every NAME.tflite of a folder:
// reads NAME.in0, NAME.in1, … and writes NAME.out0, …, or NAME.error, what it says against the file.
// Use: node runtime.cjs PACKAGE FOLDER, the package's folder and that of the files. All bytes are little-endian, in the file's own order.
const fs = require('fs');
const path = require('path');

const [, , packageFolder, folder] = process.argv;
const wasm = path.join(packageFolder, 'wasm');

async function main() {
    const said = [];
    const tflite = await require(path.join(wasm, 'tflite_web_api_cc_simd.js'))({
        wasmBinary: fs.readFileSync(path.join(wasm, 'tflite_web_api_cc_simd.wasm')),
        print: line => said.push(line),
        printErr: line => said.push(line),
    });
    for (const file of fs.readdirSync(folder).filter(name => name.endsWith('.tflite')).sort()) {
        const name = path.join(folder, file.slice(0, -'.tflite'.length));
        said.length = 0;
        try {
            run(tflite, name);
        } catch (error) {
            fs.writeFileSync(`${name}.error`, `${error.message ?? error}\n${said.join('\n')}`);
        }
    }
}

function run(tflite, name) {
    const model = fs.readFileSync(`${name}.tflite`);
    const at = tflite._malloc(model.length);
    tflite.HEAPU8.set(model, at);
    const created = tflite.TFLiteWebModelRunner.CreateFromBufferAndOptions(at, model.length,
        { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 1024 });
    if (!created.ok()) throw new Error(created.errorMessage());
    const runner = created.value();
    list(runner.GetInputs()).forEach((tensor, i) => bytes(tensor).set(fs.readFileSync(`${name}.in${i}`)));
    if (!runner.Infer()) throw new Error('the run failed');
    list(runner.GetOutputs()).forEach((tensor, i) => fs.writeFileSync(`${name}.out${i}`, bytes(tensor)));
    runner.delete();
    tflite._free(at);
}

function list(vector) {
    return Array.from({ length: vector.size() }, (_, i) => vector.get(i));
}

function bytes(tensor) {
    const data = tensor.data();
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
