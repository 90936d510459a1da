import { markup as html, inline, type Markup, paragraphs } from './markup.js';

/** The reference page: `openapi.yaml` as one HTML document, without a script or a foreign file. */

/** The parts of OpenAPI 3.1 that our own contract uses. */
export interface Contract {
  info: { title: string; version: string; summary?: string; description?: string };
  paths: Record<string, PathItem>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Answer>;
    parameters: Record<string, Parameter>;
  };
}
type PathItem = Record<string, Operation> & { parameters?: never };
interface Operation {
  summary: string;
  description?: string;
  parameters?: (Parameter | Ref)[];
  requestBody?: { description?: string; content: Record<string, { schema?: Schema }> };
  responses: Record<string, Answer | Ref>;
}
interface Ref {
  $ref: string;
}
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}
interface Answer {
  description: string;
  content?: Record<
    string,
    { schema?: Schema; example?: unknown; examples?: Record<string, { value: unknown }> }
  >;
}
interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  [keyword: string]: unknown;
}

/** The whole page as text. */
export function renderContract(contract: Contract): string {
  const { info, paths, components } = contract;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} ${info.version}: reference</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
</head>
<body class="docs">
<header><h1>${info.title} <small>${info.version}</small></h1>
<nav><a href="/">Search page</a> <a href="/openapi.yaml">openapi.yaml</a></nav></header>
<main>
${paragraphs(info.description ?? '')}
<h2>Routes</h2>
<ul class="contents">${operations.map(({ path, method, operation }) => html`<li><a href="#${anchor(method, path)}"><code>${method.toUpperCase()} ${path}</code></a> ${operation.summary}</li>`)}</ul>
${operations.map(({ path, method, operation }) => renderOperation(contract, { path, method, operation }))}
<h2>Schemas</h2>
${Object.entries(components.schemas).map(([name, schema]) => renderSchema(name, schema))}
</main>
</body>
</html>`;
  return page.text;
}

const anchor = (method: string, path: string): string => `${method}-${path.replace(/[^a-z0-9]+/gi, '-')}`;

interface Entry {
  path: string;
  method: string;
  operation: Operation;
}

function renderOperation(contract: Contract, { path, method, operation }: Entry): Markup {
  const parameters = (operation.parameters ?? []).map((one) => resolve<Parameter>(contract, one));
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  return html`<section id="${anchor(method, path)}">
<h3><span class="method">${method.toUpperCase()}</span> <code>${path}</code></h3>
<p>${operation.summary}</p>
${paragraphs(operation.description ?? '')}
${parameters.length === 0 ? '' : html`<h4>Parameters</h4>${table(['name', 'in', 'value', 'meaning'], parameters.map(parameterRow))}`}
${bodies.length === 0 ? '' : html`<h4>Body</h4>${paragraphs(operation.requestBody?.description ?? '')}<ul>${bodies.map(([type, { schema }]) => html`<li><code>${type}</code> ${schema ? typeOf(schema) : ''}</li>`)}</ul>`}
<h4>Answers</h4>
${Object.entries(operation.responses).map(([status, one]) => renderAnswer(status, resolve<Answer>(contract, one)))}
</section>`;
}

function parameterRow({ name, in: where, required, description, schema }: Parameter): Markup[] {
  return [
    html`<code>${name}</code>${required ? ' (required)' : ''}`,
    html`${where}`,
    typeOf(schema),
    inline(description ?? ''),
  ];
}

function renderAnswer(status: string, answer: Answer): Markup {
  const contents = Object.entries(answer.content ?? {});
  return html`<details><summary><b>${status}</b> ${inline(answer.description)}</summary>
${contents.map(([type, { schema, example, examples }]) => {
  const shown = example ?? Object.values(examples ?? {})[0]?.value;
  const text = typeof shown === 'string' ? shown : JSON.stringify(shown, null, 2);
  return html`<p><code>${type}</code> ${schema ? typeOf(schema) : ''}</p>${shown === undefined ? '' : html`<pre>${text}</pre>`}`;
})}</details>`;
}

function renderSchema(name: string, schema: Schema): Markup {
  const rows = Object.entries(schema.properties ?? {}).map(([field, one]) => [
    html`<code>${field}</code>${schema.required?.includes(field) ? '' : ' (optional)'}`,
    typeOf(one),
    inline(one.description ?? ''),
  ]);
  return html`<section id="${name}"><h3>${name}</h3>${paragraphs(schema.description ?? '')}
${rows.length > 0 ? table(['field', 'value', 'meaning'], rows) : html`<p>${typeOf(schema)}</p>${values(schema)}`}</section>`;
}

/** The values of an enum with an anchor each: the `type` of a problem points to its code here. */
function values(schema: Schema): Markup {
  return html`<ul>${(schema.enum ?? []).map((value) => html`<li id="${value}"><code>${value}</code></li>`)}</ul>`;
}

function table(heads: string[], rows: Markup[][]): Markup {
  return html`<div class="scroll"><table><thead><tr>${heads.map((head) => html`<th>${head}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** A schema in a few words: its type or a link to it, its range, its default. */
function typeOf(schema: Schema): Markup {
  if (schema.$ref) return html`<a href="#${nameOf(schema.$ref)}">${nameOf(schema.$ref)}</a>`;
  if (schema.items) return html`list of ${typeOf(schema.items)}`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  const kind = schema.enum ? schema.enum.join(', ') : [schema.type ?? 'object'].flat().join(' or ');
  const range = schema.minimum !== undefined || schema.maximum !== undefined;
  const limits = range ? `, ${schema.minimum ?? '−∞'} to ${schema.maximum ?? '∞'}` : '';
  return html`${kind}${limits}${schema.default === undefined ? '' : `, default ${String(schema.default)}`}`;
}

const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

/** Follows `#/components/<kind>/<name>`. */
function resolve<T>(contract: Contract, value: T | Ref): T {
  const ref = (value as Partial<Ref>).$ref;
  if (ref === undefined) return value as T;
  const [, , kind, name] = ref.split('/');
  return contract.components[kind as 'responses']?.[name!] as T;
}
