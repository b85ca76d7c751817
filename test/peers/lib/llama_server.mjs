// A small OpenAI-compatible server around node-llama-cpp: chat completions,
// whole or streamed, JSON forced by a grammar made of the request's schema.
//   node llama_server.mjs MODEL.gguf    prints its port
import http from "node:http";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const require = createRequire(process.cwd() + "/");
const {getLlama, LlamaCompletion} = await import(
    pathToFileURL(require.resolve("node-llama-cpp")));
const llama = await getLlama({
    gpu: false, build: "never", maxThreads: 1, logLevel: "error"});
const model = await llama.loadModel({modelPath: process.argv[2]});
const context = await model.createContext({contextSize: 512, threads: 1});
const sequence = context.getSequence();
let busy = Promise.resolve();

function schemaOf(body) {
    const f = body.response_format ?? {};
    if (f.type === "json_schema")
        return f.json_schema.schema;
    return f.type === "json_object" ? f.schema : undefined;
}

async function complete(body, onText) {
    const schema = schemaOf(body);
    const grammar = schema && await llama.createGrammarForJsonSchema(schema);
    const prompt = body.messages.map(m => m.content ?? "").join("\n").slice(-600);
    await sequence.clearHistory();
    const completion = new LlamaCompletion({contextSequence: sequence});
    const done = await completion.generateCompletionWithMeta(prompt, {
        grammar, maxTokens: body.max_tokens, onTextChunk: onText,
        temperature: body.temperature ?? 0, seed: body.seed ?? 0});
    completion.dispose({disposeSequence: false});
    const stop = done.metadata.stopReason === "maxTokens" ? "length" : "stop";
    const usage = {
        prompt_tokens: model.tokenize(prompt).length,
        completion_tokens: Math.min(
            model.tokenize(done.response).length, body.max_tokens)};
    return {text: done.response, stop, usage};
}

async function answer(body, res) {
    const base = {id: "chatcmpl-x", system_fingerprint: "stories260K"};
    if (!body.stream) {
        const done = await complete(body);
        res.writeHead(200, {"content-type": "application/json"});
        res.end(JSON.stringify({...base, object: "chat.completion",
            choices: [{index: 0, finish_reason: done.stop,
                message: {role: "assistant", content: done.text}}],
            usage: done.usage}));
        return;
    }
    const send = (delta, finish, more) => res.write("data: " +
        JSON.stringify({...base, object: "chat.completion.chunk",
            choices: [{index: 0, delta, finish_reason: finish}], ...more}) +
        "\n\n");
    res.writeHead(200, {"content-type": "text/event-stream"});
    const done = await complete(body, text => send({content: text}, null));
    send({}, done.stop, {usage: done.usage});
    res.end("data: [DONE]\n\n");
}

const server = http.createServer((req, res) => {
    let text = "";
    req.on("data", piece => { text += piece; });
    req.on("end", () => {
        busy = busy.then(() => answer(JSON.parse(text), res)).catch(e => {
            if (!res.headersSent)
                res.writeHead(400, {"content-type": "application/json"});
            res.end(JSON.stringify({error: {
                message: String(e), type: "invalid_request_error"}}));
        });
    });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
