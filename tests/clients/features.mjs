// SPDX-License-Identifier: MIT
// The official TypeScript clients use what a server can offer besides plain tools, against quickstart --fixtures.
// usage: MCP_TOKEN=... node features.mjs URL     prints TAP
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema, LoggingMessageNotificationSchema,
  ResourceListChangedNotificationSchema, ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { finish, kinds, ok } from './application.mjs';

const url = new URL(process.argv[2]);
const requestInit = { headers: { authorization: `Bearer ${process.env.MCP_TOKEN}` } };

// What client 1.x calls a handler by.
const schemas = {
  'sampling/createMessage': CreateMessageRequestSchema, 'elicitation/create': ElicitRequestSchema, 'roots/list': ListRootsRequestSchema,
  'notifications/message': LoggingMessageNotificationSchema, 'notifications/tools/list_changed': ToolListChangedNotificationSchema,
  'notifications/resources/list_changed': ResourceListChangedNotificationSchema,
  'notifications/resources/updated': ResourceUpdatedNotificationSchema,
};

const texts = result => result.content?.map(block => block.text).join('|');

async function until(condition) {
  for (let i = 0; i < 600 && !condition(); i++) await new Promise(resolve => setTimeout(resolve, 50));
  return condition();
}

async function offers(name, client) {
  const { tools } = await client.listTools();
  ok(tools.length >= 30 && tools.find(tool => tool.name === 'test_multiple_content_types')?.icons?.[0].mimeType === 'image/png',
    `${name}: lists the tools, icons with them`, tools.map(tool => tool.name));
  const kindsOf = (await client.callTool({ name: 'test_multiple_content_types', arguments: {} })).content.map(block => block.type);
  ok(kindsOf.join() === 'text,image,resource,resource_link', `${name}: content of four kinds`, kindsOf);
  const audio = (await client.callTool({ name: 'test_audio_content', arguments: {} })).content[0];
  ok(audio.type === 'audio' && Buffer.from(audio.data, 'base64').subarray(0, 4).toString() === 'RIFF', `${name}: a sound`, audio);
  const weather = await client.callTool({ name: 'test_structured_content', arguments: {} });
  ok(weather.structuredContent?.temperature === 22.5 && JSON.parse(weather.content[0].text).temperature === 22.5,
    `${name}: structured content, which the client has validated`, weather);
  ok((await client.callTool({ name: 'test_error_handling', arguments: {} })).isError === true, `${name}: an error for the model`);
  const region = await client.callTool({ name: 'test_header_parameters', arguments: { region: 'Zürich ☕', priority: 3 } });
  ok(texts(region) === 'region: Zürich ☕', `${name}: arguments that travel in headers as well`, region);

  const { resources } = await client.listResources();
  const { resourceTemplates } = await client.listResourceTemplates();
  ok(resources.length === 3 && resourceTemplates.length === 1, `${name}: lists resources and templates`, { resources, resourceTemplates });
  ok(/static text/.test((await client.readResource({ uri: 'test://static-text' })).contents[0].text), `${name}: reads a text`);
  const { blob } = (await client.readResource({ uri: 'test://static-binary' })).contents[0];
  ok(Buffer.from(blob, 'base64').subarray(1, 4).toString() === 'PNG', `${name}: reads bytes`, blob);
  const made = (await client.readResource({ uri: 'test://template/a%20b/data' })).contents[0];
  ok(JSON.parse(made.text).id === 'a b', `${name}: reads by a template`, made);
  const none = await client.readResource({ uri: 'test://none' }).catch(e => e);
  ok(none instanceof Error && [-32002, -32602].includes(none.code), `${name}: a resource that is not there is an error`, String(none));

  const { prompts } = await client.listPrompts();
  ok(prompts.length === 5, `${name}: lists prompts`, prompts);
  const { messages } = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'one', arg2: 'two' } });
  ok(/one.*two/.test(messages[0].content.text), `${name}: gets a prompt with arguments`, messages);
  const picture = (await client.getPrompt({ name: 'test_prompt_with_image' })).messages;
  ok(picture[0].content.type === 'image' && picture[2].role === 'assistant', `${name}: a prompt of three messages, a picture first`, picture);
  const lacking = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'one' } }).catch(e => e);
  ok(lacking instanceof Error && lacking.code === -32602, `${name}: a missing argument is -32602`, String(lacking));
  const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument: { name: 'arg1', value: 'test' } });
  ok(completion.values.join() === 'test,test value,testing', `${name}: completes an argument`, completion);
  const ids = (await client.complete({ ref: { type: 'ref/resource', uri: 'test://template/{id}/data' }, argument: { name: 'id', value: '12' } })).completion;
  ok(ids.values.join() === '123,124', `${name}: completes a variable of a template`, ids);
}

async function notices(name, client, on, modern) {
  const steps = [];
  await client.callTool({ name: 'test_tool_with_progress', arguments: {} }, ...modern.second({ onprogress: p => steps.push(p.progress) }));
  ok(steps.join() === '0,50,100', `${name}: progress comes while the tool runs`, steps);
  const logged = [];
  on('notifications/message', notification => logged.push(notification.params.data));
  if (modern.is) await client.callTool({ name: 'test_tool_with_logging', arguments: {}, _meta: { 'io.modelcontextprotocol/logLevel': 'info' } });
  else {
    await client.setLoggingLevel('info');
    await client.callTool({ name: 'test_tool_with_logging', arguments: {} });
  }
  ok(await until(() => logged.length === 3), `${name}: three log messages`, logged);
  const back = await client.callTool({ name: 'test_reconnection', arguments: {} }).catch(e => e);
  ok(texts(back) === 'Came back.', `${name}: an answer whose stream may be ended meanwhile`, back.stack ?? back);
}

async function questions(name, client, on) {
  const asked = [];
  on('elicitation/create', ({ params }) => {
    asked.push(params.mode ?? 'form');
    const fields = Object.keys(params.requestedSchema?.properties ?? {});
    const answers = { name: 'Grace', color: 'blue', ok: true, context: 'here', username: 'grace', email: 'grace@example.com' };
    return { action: 'accept', ...params.mode !== 'url' && { content: Object.fromEntries(fields.filter(f => f in answers).map(f => [f, answers[f]])) } };
  });
  on('sampling/createMessage', ({ params }) => {
    asked.push('sampling');
    return { role: 'assistant', model: 'm', content: { type: 'text', text: `said to: ${params.messages[0].content.text}` } };
  });
  on('roots/list', () => {
    asked.push('roots');
    return { roots: [{ uri: 'file:///home/grace', name: 'home' }] };
  });
  const call = async (tool, args = {}) => texts(await client.callTool({ name: tool, arguments: args }));
  const says = async (tool, args, want, text) => {
    const got = await call(tool, args).catch(e => `${e.stack}`);
    ok(got === want, `${name}: ${text}`, got);
  };
  await says('test_input_required_result_elicitation', {}, 'Hello, Grace!', 'a person fills in a form');
  await says('test_elicitation', { message: 'Who?' }, 'The client answered: {"action":"accept","content":{"username":"grace","email":"grace@example.com"}}',
    'a form of two fields');
  await says('test_elicitation_url', {}, 'The page: accept', 'a person opens a page');
  await says('test_sampling', { prompt: 'a poem' }, 'The model answered: said to: a poem', "the client's model answers");
  await says('test_input_required_result_list_roots', {}, 'file:///home/grace', 'the client tells its roots');
  await says('test_input_required_result_multi_round', {}, 'Grace likes blue.', 'two questions, one after the other');
  await says('test_input_required_result_multiple_inputs', {}, 'said to: Generate a greeting Grace', 'three questions');
  const prompt = await client.getPrompt({ name: 'test_input_required_result_prompt' }).catch(e => e);
  ok(prompt.messages?.[0].content.text === 'Use this context: here', `${name}: a prompt that asks`, prompt.stack ?? prompt);
  on('elicitation/create', () => ({ action: 'decline' }));
  await says('test_input_required_result_elicitation', {}, 'Hello, stranger!', 'a person who does not want to');
}

async function changes(name, client, on, modern) {
  const heard = [];
  for (const what of ['tools/list_changed', 'resources/list_changed', 'resources/updated'])
    on(`notifications/${what}`, notification => heard.push(what + (notification.params?.uri ?? '')));
  let subscription;
  if (modern.is) subscription = await client.listen({ toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['test://watched-resource'] });
  else await client.subscribeResource({ uri: 'test://watched-resource' });
  for (const tool of ['test_trigger_tool_change', 'test_trigger_resource_change', 'test_trigger_resource_update'])
    await client.callTool({ name: tool, arguments: {} });
  // A session listens by GET, where that costs the web server no process.
  if (modern.is || client.getServerCapabilities().resources.subscribe)
    ok(await until(() => heard.length >= 3) && [...heard].sort().join() === 'resources/list_changed,resources/updatedtest://watched-resource,tools/list_changed',
      `${name}: hears that lists and a resource have changed`, heard);
  else ok(!heard.length && !client.getServerCapabilities().tools.listChanged, `${name}: is told nothing, and knows`, heard);
  if (modern.is) await subscription.close();
  else await client.unsubscribeResource({ uri: 'test://watched-resource' });
  await client.callTool({ name: 'test_trigger_resource_update', arguments: {} });
  await new Promise(resolve => setTimeout(resolve, 300));
  ok(heard.length <= 3, `${name}: and no more when it does not want to`, heard);
}

const wanted = process.argv[3] ? [process.argv[3]] : Object.keys(kinds);
for (const name of wanted) {
  const { Client, Transport, options } = kinds[name];
  const modern = { is: name.includes('2026') || name.includes('negotiating'), second: o => name === 'sdk 1.x' ? [undefined, o] : [o] };
  const client = new Client({ name: 'mcp-fcgi-test', version: '1.0.0' },
    { ...options, capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} } });
  const on = (method, handler) => {
    const by = name === 'sdk 1.x' ? schemas[method] : method;
    return method.startsWith('notifications/') ? client.setNotificationHandler(by, handler) : client.setRequestHandler(by, handler);
  };
  for (const [part, run] of Object.entries({ connect: () => client.connect(new Transport(url, { requestInit })), offers: () => offers(name, client),
    notices: () => notices(name, client, on, modern), questions: () => questions(name, client, on), changes: () => changes(name, client, on, modern),
    close: () => client.close() })) {
    try {
      await run();
    } catch (e) {
      ok(false, `${name}: ${part} comes to its end`, e?.stack ?? String(e));
    }
  }
}
process.exit(finish());
