// The Node clients against the gateway, one by its name: OPENAI_BASE_URL, OPENAI_API_KEY and MODEL say where.
import assert from "node:assert/strict";

const { MODEL, OPENAI_BASE_URL: URL, OPENAI_API_KEY: KEY } = process.env;
const messages = [{ role: "user", content: "hello" }];

const clients = {
  async openai() {
    const { default: OpenAI } = await import("openai");
    const client = new OpenAI({ maxRetries: 0, timeout: 60_000 });
    const answer = await client.chat.completions.create({ model: MODEL, messages, metadata: { run: "7" }, store: true });
    const text = answer.choices[0].message.content;
    assert(text);
    assert.equal((await client.models.retrieve(answer.model)).id, answer.model);
    let streamed = "";
    for await (const chunk of await client.chat.completions.create({ model: MODEL, messages, stream: true })) {
      streamed += chunk.choices[0]?.delta?.content ?? "";
    }
    assert.equal(streamed, text);
    const wrong = client.chat.completions.create({ model: MODEL, messages, temperature: 3 });
    await assert.rejects(wrong, (error) => error.status === 400 && error.param === "temperature" && !!error.requestID);
  },

  async "ai-sdk"() {
    const { generateText, streamText, tool, Output } = await import("ai");
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const { z } = await import("zod");
    const provider = createOpenAICompatible({
      name: "gateway", baseURL: URL, apiKey: KEY, includeUsage: true, supportsStructuredOutputs: true,
    });
    const model = provider(MODEL);
    const { text } = await generateText({ model, prompt: "hello", maxRetries: 0 });
    assert(text);
    assert.equal(await streamText({ model, prompt: "hello", maxRetries: 0 }).text, text);
    const list_leads = tool({ description: "List the leads.", inputSchema: z.object({}), execute: async () => [] });
    const used = await generateText({ model, prompt: "hello", maxRetries: 0, tools: { list_leads }, toolChoice: "required" });
    assert.equal(used.toolCalls[0].toolName, "list_leads");
    const schema = z.object({ name: z.string(), rooms: z.number().int() });
    const filled = await generateText({ model, prompt: "hello", maxRetries: 0, output: Output.object({ schema }) });
    assert.equal(typeof filled.output.rooms, "number");
  },

  // As a Node service that has no SDK asks: fetch, JSON, and the forms that its types allow.
  async fetch() {
    const ask = async (body) => {
      const headers = { "Content-Type": "application/json", Authorization: `Bearer ${KEY}` };
      const signal = AbortSignal.timeout(60_000);
      const answer = await fetch(`${URL}/chat/completions`, { method: "POST", headers, signal, body: JSON.stringify(body) });
      return { status: answer.status, body: await answer.json() };
    };
    const tools = [{ type: "function", function: { name: "list_leads" } }];
    const forms = [
      { messages, max_tokens: 32768, tool_choice: undefined },
      { messages: [{ role: "user", content: { type: "text", text: "hello" } }] },
      { messages: [{ role: "user", content: ["hej", "du"] }] },
      { messages: [{ role: "user", content: "cut here: \ud83d" }] },
      { messages, tools, tool_choice: { name: "list_leads" } },
      { messages, tools: [], tool_choice: "auto" },
      { messages: [...messages, { role: "tool", name: "list_leads", tool_call_id: "1", content: { leads: [] } }] },
    ];
    for (const form of forms) {
      const { status, body } = await ask({ model: MODEL, ...form });
      assert.equal(status, 200, JSON.stringify(body));
      assert(body.choices[0].finish_reason);
    }
  },
};

await clients[process.argv[2]]();
