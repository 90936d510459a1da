/** `openapi.yaml` as a judge of real answers: status, headers, content type, and body by schema. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { load } from 'js-yaml';
import type { Response, Test } from 'supertest';

interface Ref {
  $ref?: string;
}
interface Documented extends Ref {
  headers?: Record<string, Ref & { required?: boolean }>;
  content?: Record<
    string,
    { schema: object; example?: unknown; examples?: Record<string, { value?: unknown } & Ref> }
  >;
}
interface Operation {
  parameters?: (Ref & { name?: string; in?: string })[];
  security?: object[];
  requestBody?: {
    content: Record<string, { example?: unknown; examples?: Record<string, { value?: unknown } & Ref> }>;
  };
  responses: Record<string, Documented>;
}
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, { enum?: string[]; properties?: Record<string, object> }>;
    parameters: Record<string, { name: string; in: string; schema: object }>;
  };
}

const file = new URL('../../openapi.yaml', import.meta.url);
export const contract = load(readFileSync(file, 'utf8')) as OpenApi;

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(contract, 'contract');
const compiled = new Map<string, ValidateFunction>();

/** `GET /v1/jobs/{id} 200`: one documented answer. */
export type Exchange = `${string} ${string} ${number}`;

/** Every documented answer, in the order of the file. */
export function documented(): Exchange[] {
  return operations().flatMap(({ method, path, operation }) =>
    Object.keys(operation.responses).map((status) => `${method} ${path} ${Number(status)}` as const),
  );
}

export function operations() {
  return Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** Escapes a path as one step of a JSON pointer inside a URI fragment. */
const step = (text: string) => encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));

function follow<T extends Ref>(value: T, pointer: string): { value: T; pointer: string } {
  if (value.$ref === undefined) return { value, pointer };
  const steps = value.$ref.slice(2).split('/');
  const target = steps.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], contract);
  return follow(target as T, `#/${steps.map(step).join('/')}`);
}

function faultsBy(pointer: string, value: unknown): string[] {
  const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `contract${pointer}` });
  compiled.set(pointer, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}

export interface RealAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** What differs between a real answer and the documented one; empty when nothing does. */
export function differences(method: string, path: string, answer: RealAnswer): string[] {
  const operation = contract.paths[path]?.[method.toLowerCase()];
  const found = operation?.responses[answer.status];
  if (!found) return [`${method} ${path} may not answer ${answer.status}`];
  const at = `#/paths/${step(path)}/${method.toLowerCase()}/responses/${answer.status}`;
  const { value: response, pointer } = follow(found, at);
  return [...headerFaults(response, pointer, answer), ...bodyFaults(response, pointer, answer)];
}

function headerFaults(response: Documented, pointer: string, { headers }: RealAnswer): string[] {
  return Object.entries(response.headers ?? {}).flatMap(([name, header]) => {
    const followed = follow(header, `${pointer}/headers/${step(name)}`);
    const value = headers[name.toLowerCase()];
    if (value === undefined) return followed.value.required ? [`the header ${name} is missing`] : [];
    return faultsBy(`${followed.pointer}/schema`, value).map((fault) => `header ${name}: ${fault}`);
  });
}

function bodyFaults(response: Documented, pointer: string, { headers, body }: RealAnswer): string[] {
  const types = Object.keys(response.content ?? {});
  const type = (headers['content-type'] ?? '').split(';')[0]!;
  if (types.length === 0)
    return body.length === 0 ? [] : [`a body of ${body.length} bytes where none is documented`];
  if (!types.includes(type)) return [`content type ${type}, documented are ${types.join(', ')}`];
  if (!/[/+]json$/.test(type)) return body.length > 0 ? [] : ['an empty body'];
  const schema = `${pointer}/content/${step(type)}/schema`;
  return faultsBy(schema, JSON.parse(body.toString('utf8'))).map((fault) => `body: ${fault}`);
}

/** What is wrong with the examples of the contract itself. */
export function exampleFaults(): string[] {
  return operations().flatMap(({ method, path, operation }) =>
    Object.entries(operation.responses).flatMap(([status, found]) => {
      const at = `#/paths/${step(path)}/${method.toLowerCase()}/responses/${status}`;
      const { value: response, pointer } = follow(found, at);
      return Object.entries(response.content ?? {}).flatMap(([type, { example, examples }]) => {
        const values = Object.values(examples ?? {}).map((one) => follow(one, '').value.value);
        const schema = `${pointer}/content/${step(type)}/schema`;
        const all = example === undefined ? values : [example, ...values];
        return all
          .flatMap((value) => faultsBy(schema, value))
          .map((fault) => `${method} ${path} ${status}: ${fault}`);
      });
    }),
  );
}

/** Every example of a body that a request may have. */
export function requestExamples() {
  return operations().flatMap(({ method, path, operation }) =>
    Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { example, examples }]) =>
      [example, ...Object.values(examples ?? {}).map((one) => follow(one, '').value.value)]
        .filter((value) => value !== undefined)
        .map((value) => ({ method, path, type, value })),
    ),
  );
}

/** Sends a request and keeps the body as it came. */
export async function sent(test: Test): Promise<RealAnswer> {
  const response: Response = await test.buffer(true).parse((res, done) => {
    const chunks: Buffer[] = [];
    res.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
    res.on('end', () => done(null, Buffer.concat(chunks)));
  });
  const body = Buffer.isBuffer(response.body) ? response.body : Buffer.alloc(0);
  return { status: response.status, headers: response.headers as Record<string, string>, body };
}
