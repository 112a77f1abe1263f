import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { thingDefinition } from './support/objects.ts';

const api = await openCluster();
const group = `${api.unique('columns')}.test`;
const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const column = (name: string, type: string, jsonPath: string, more: object = {}) => ({
  name,
  type,
  jsonPath,
  ...more,
});
const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const things = await api.install(
  thingDefinition(group, free, {
    version: {
      additionalPrinterColumns: [
        column('Size', 'integer', '.spec.size', { description: 'How large.' }),
        column('Rate', 'number', '.spec.rate'),
        column('On', 'boolean', '.spec.on'),
        column('Text', 'string', '.spec.text'),
        column('Deep', 'string', '.spec.a.b'),
        column('First', 'string', '.spec.list[0].name'),
        column('All', 'string', '.spec.list[*].name'),
        column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status'),
        column('Quoted', 'string', '.spec.labels.app\\.kubernetes\\.io/name'),
        column('When', 'date', '.spec.when'),
        column('Object', 'string', '.spec.a'),
        column('Wide', 'string', '.spec.text', { priority: 1 }),
        column('Age', 'date', '.metadata.creationTimestamp'),
      ],
    },
  }) as never,
);
interface Table {
  columnDefinitions: { name: string; type: string; format: string; priority: number; description: string }[];
  rows: { cells: unknown[] }[];
}
const cellsOf = async (spec: object, status: object = {}) => {
  const name = api.unique('x');
  await api.post(things, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name }, spec, status });
  const { body } = await api.send('GET', `${things}/${name}`, { accept });
  const table = body as unknown as Table;
  return Object.fromEntries(
    table.columnDefinitions.map((one, index) => [one.name, table.rows[0]?.cells[index]]),
  );
};

describe('printer columns of a custom kind', () => {
  test('come after Name, with type and description', async () => {
    const { body } = await api.send('GET', things, { accept });
    const { columnDefinitions } = body as unknown as Table;
    expect(columnDefinitions.map((one) => one.name).slice(0, 3)).toEqual(['Name', 'Size', 'Rate']);
    expect(columnDefinitions[1]).toEqual({
      name: 'Size',
      type: 'integer',
      format: '',
      description: 'How large.',
      priority: 0,
    });
    expect(columnDefinitions.find((one) => one.name === 'Wide')?.priority).toBe(1);
  });

  test('without any of its own are Name and Age', async () => {
    const plain = `${api.unique('plain')}.test`;
    const path = await api.install(thingDefinition(plain, free) as never);
    const { body } = await api.send('GET', path, { accept });
    expect((body as unknown as Table).columnDefinitions.map((one) => one.name)).toEqual(['Name', 'Age']);
  });

  test('show integers, numbers, booleans and text as they are', async () => {
    const cells = await cellsOf({ size: 3, rate: 1.5, on: true, text: 'hello' });
    expect(cells).toMatchObject({ Size: 3, Rate: 1.5, On: true, Text: 'hello', Wide: 'hello' });
  });

  test('are null where the field is absent', async () => {
    expect(await cellsOf({})).toMatchObject({
      Size: null,
      Text: null,
      Deep: null,
      First: null,
      Ready: null,
      When: null,
    });
  });

  test('go into objects and lists', async () => {
    const cells = await cellsOf({ a: { b: 'deep' }, list: [{ name: 'x' }, { name: 'y' }] });
    expect(cells).toMatchObject({ Deep: 'deep', First: 'x' });
  });

  test('of several values show them as the server joins them', async () => {
    const cells = await cellsOf({ list: [{ name: 'x' }, { name: 'y' }] });
    expect(cells.All).toBe('x');
  });

  test('filter by a field', async () => {
    const conditions = [
      { type: 'Available', status: 'True' },
      { type: 'Ready', status: 'False' },
    ];
    expect((await cellsOf({}, { conditions })).Ready).toBe('False');
  });

  test('escape dots', async () => {
    expect((await cellsOf({ labels: { 'app.kubernetes.io/name': 'wine' } })).Quoted).toBe('wine');
  });

  test('show a time as its age', async () => {
    const when = new Date(Date.now() - 3 * 3_600_000 - 5_000).toISOString();
    const cells = await cellsOf({ when });
    expect(cells.When).toBe('3h');
    expect(cells.Age).toMatch(/^\d+s$/);
  });

  test('show a time that is none as it is unknown', async () => {
    expect((await cellsOf({ when: 'soon' })).When).toBe('<invalid>');
  });

  test('show an object as JSON', async () => {
    expect((await cellsOf({ a: { b: 'x' } })).Object).toBe('{"b":"x"}');
  });

  test('of the wrong type are null', async () => {
    expect((await cellsOf({ size: 'three' })).Size).toBeNull();
  });
});
