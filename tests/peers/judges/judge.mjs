// The official SDKs judge the scripted fake model: node judge.mjs http://127.0.0.1:PORT
// Each line printed is one thing an SDK accepted; a mismatch ends with exit code 1.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const baseUrl = process.argv[2];
if (!baseUrl) {
  console.error("usage: node judge.mjs <base URL of fake-model, without /v1>");
  process.exit(2);
}

const INPUT = { city: "Zürich 🏔" };
const QUESTION = { role: "user", content: "What is the weather in Zürich?" };
const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

const anthropic = new Anthropic({ apiKey: "judge", baseURL: baseUrl, maxRetries: 0 });
const openai = new OpenAI({ apiKey: "judge", baseURL: `${baseUrl}/v1`, maxRetries: 0 });

async function judgeAnthropic() {
  const request = {
    model: "claude-sonnet-5-5",
    max_tokens: 2048,
    thinking: { type: "adaptive" },
    tools: [{ name: "weather", description: "Weather of a city", input_schema: SCHEMA }],
  };
  const seen = { text: "", thinking: "", json: "" };
  const stream = anthropic.messages.stream({ ...request, messages: [QUESTION] });
  stream.on("text", (delta) => { seen.text += delta; });
  stream.on("thinking", (delta) => { seen.thinking += delta; });
  stream.on("inputJson", (delta) => { seen.json += delta; });
  const first = await stream.finalMessage();

  const [thinking, text, call] = first.content;
  assert.deepEqual(first.content.map((block) => block.type), ["thinking", "text", "tool_use"]);
  assert.equal(thinking.thinking, "Let me think about it.");
  assert.equal(seen.thinking, thinking.thinking);
  assert.match(thinking.signature, /^signature-\d+$/);
  assert.equal(text.text, "I will look that up.");
  assert.equal(seen.text, text.text);
  assert.equal(call.name, "weather");
  assert.deepEqual(call.input, INPUT);
  assert.deepEqual(JSON.parse(seen.json), INPUT);
  assert.equal(first.stop_reason, "tool_use");
  assert.equal(first.usage.input_tokens, 25);
  assert.equal(first.usage.output_tokens, 12);
  assert.equal(first.usage.cache_read_input_tokens, 7);
  assert.equal(first.usage.cache_creation_input_tokens, 3);

  const result = { type: "tool_result", tool_use_id: call.id, content: "sunny" };
  const history = [QUESTION, { role: "assistant", content: first.content }, { role: "user", content: [result] }];
  const second = await anthropic.messages.stream({ ...request, messages: history }).finalMessage();
  assert.equal(second.content.at(-1).text, "The tool has answered, thank you. 🎉");
  assert.equal(second.stop_reason, "end_turn");

  const unpaired = [QUESTION, { role: "assistant", content: first.content }, QUESTION];
  await assert.rejects(
    anthropic.messages.stream({ ...request, messages: unpaired }).finalMessage(),
    (error) => error instanceof Anthropic.BadRequestError && /tool_use/.test(error.message),
  );
  const { input_tokens: counted } = await anthropic.messages.countTokens({ model: request.model, messages: history });
  assert.ok(counted > 0);
  return "text, thinking with signature, tool call, usage, second turn, refusal of an unpaired call, count_tokens";
}

async function judgeOpenAi() {
  const request = {
    model: "gpt-5.4",
    reasoning_effort: "low",
    stream_options: { include_usage: true },
    tools: [{ type: "function", function: { name: "weather", description: "Weather of a city", parameters: SCHEMA } }],
  };
  let reasoning = "";
  let content = "";
  const stream = openai.chat.completions.stream({ ...request, messages: [QUESTION] });
  stream.on("content", (delta) => { content += delta; });
  stream.on("chunk", (chunk) => { reasoning += chunk.choices[0]?.delta.reasoning_content ?? ""; });
  const first = await stream.finalChatCompletion();

  const { message, finish_reason: reason } = first.choices[0];
  assert.equal(reasoning, "Let me think about it.");
  assert.equal(content, "I will look that up.");
  assert.equal(message.content, content);
  assert.equal(message.tool_calls.length, 1);
  assert.equal(message.tool_calls[0].function.name, "weather");
  assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), INPUT);
  assert.equal(reason, "tool_calls");
  assert.equal(first.usage.prompt_tokens, 32);
  assert.equal(first.usage.completion_tokens, 12);
  assert.equal(first.usage.prompt_tokens_details.cached_tokens, 7);

  const { role, content: said, tool_calls: calls } = message;
  const result = { role: "tool", tool_call_id: calls[0].id, content: "sunny" };
  const history = [QUESTION, { role, content: said, tool_calls: calls }, result];
  const second = await openai.chat.completions.stream({ ...request, messages: history }).finalChatCompletion();
  assert.equal(second.choices[0].message.content, "The tool has answered, thank you. 🎉");
  assert.equal(second.choices[0].finish_reason, "stop");

  await assert.rejects(
    openai.chat.completions.stream({ ...request, messages: [...history.slice(0, 2), QUESTION] }).finalChatCompletion(),
    (error) => error instanceof OpenAI.BadRequestError && /tool_calls/.test(error.message),
  );
  return "text, reasoning, tool call, usage, second turn, refusal of an unpaired call";
}

let failed = false;
for (const [name, judge] of [["@anthropic-ai/sdk", judgeAnthropic], ["openai", judgeOpenAi]]) {
  try {
    console.log(`accepted by ${name}: ${await judge()}`);
  } catch (error) {
    failed = true;
    console.error(`REJECTED by ${name}:`, error);
  }
}
process.exit(failed ? 1 : 0);
