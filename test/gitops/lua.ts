/** Runs Argo CD's health script as Argo CD does: the object is the global `obj`, the result is what the script returns. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// No types come with it.
const { lua, lauxlib, lualib, to_luastring: luaString } = createRequire(import.meta.url)('fengari');

export interface Health {
  readonly status: string;
  readonly message: string;
}

const script = readFileSync(join(import.meta.dirname, '../../integrations/argocd/health.lua'), 'utf8');

function push(state: unknown, value: unknown): void {
  if (value === null || value === undefined) lua.lua_pushnil(state);
  else if (typeof value === 'boolean') lua.lua_pushboolean(state, value);
  else if (typeof value === 'number')
    if (Number.isInteger(value)) lua.lua_pushinteger(state, value);
    else lua.lua_pushnumber(state, value);
  else if (typeof value === 'string') lua.lua_pushstring(state, luaString(value));
  else {
    lua.lua_newtable(state);
    for (const [key, inner] of Object.entries(value)) {
      if (Array.isArray(value)) lua.lua_pushinteger(state, Number(key) + 1);
      else lua.lua_pushstring(state, luaString(key));
      push(state, inner);
      lua.lua_settable(state, -3);
    }
  }
}

/** What Argo CD shows of the object. */
export function argoHealth(object: unknown): Health {
  const state = lauxlib.luaL_newstate();
  // Argo CD opens as much: no files, no processes.
  for (const [name, open] of [
    ['_G', lualib.luaopen_base],
    ['string', lualib.luaopen_string],
    ['table', lualib.luaopen_table],
  ]) {
    lauxlib.luaL_requiref(state, luaString(name), open, 1);
    lua.lua_pop(state, 1);
  }
  push(state, object);
  lua.lua_setglobal(state, luaString('obj'));
  if (lauxlib.luaL_dostring(state, luaString(script)) !== lua.LUA_OK)
    throw new Error(`health.lua: ${lua.lua_tojsstring(state, -1)}`);
  const field = (name: string): string => {
    lua.lua_getfield(state, -1, luaString(name));
    const text = lua.lua_tojsstring(state, -1);
    lua.lua_pop(state, 1);
    return text;
  };
  return { status: field('status'), message: field('message') };
}
