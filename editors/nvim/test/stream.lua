-- Neovim alone, without a plugin, holds a session with the server: a prompt streams back whole and in order, another
-- is cancelled, the buffer is edited, and the server stops cleanly.
--
--   SOUFFLEUR_BIN=target/debug/souffleur nvim --headless -u NONE -l editors/nvim/test/stream.lua

local here = vim.fs.dirname(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p'))
local t = dofile(here .. '/support.lua')

local MODEL = 'sim:default'

---@class Turn
---@field values table[] the values of the turn's token, as they came
---@field ended? number when `end` came

---@type table<string, Turn>
local turns = {}

---@type table<string, { begin: integer, report: integer, end: integer, other: integer }>
local announced = {}

--- Our own handler: it keeps the values, and leaves them to Neovim's handler as well.
local function on_progress(err, params, ctx, config)
  local turn = turns[params.token]
  if turn then
    t.check(not turn.ended, 'a value came after the end: %s', vim.inspect(params.value))
    -- A copy: Neovim's handler writes a title into the value.
    table.insert(turn.values, vim.deepcopy(params.value))
    if params.value.kind == 'end' then
      turn.ended = vim.uv.hrtime()
    end
  end
  vim.lsp.handlers['$/progress'](err, params, ctx, config)
end

--- Counts what Neovim's own handler announces to statuslines and the like.
local function on_announcement(event)
  local params = event.data.params or event.data.result
  -- Not `event.match`: Neovim makes a path of it.
  local kind = event.file
  local counts = announced[params.token]
  if counts then
    t.check(type(params.value.title) == 'string', 'an announced value has no title: %s', vim.inspect(params.value))
    t.equal(kind, params.value.kind, 'the pattern of LspProgress')
    counts[kind] = (counts[kind] or 0) + 1
  end
end

--- Folds a turn's values as a client has to, and checks each step.
---@param values table[]
local function fold(values)
  local folded = { items = {}, order = {}, reports = 0, ends = 0 }
  for index, value in ipairs(values) do
    local at = ('value %d %s'):format(index - 1, vim.inspect(value))
    t.equal(value.seq, index - 1, 'seq of ' .. at)
    t.check(not folded.stop, 'a value came after the end: %s', at)
    if index == 1 then
      t.equal(value.kind, 'begin', 'the kind of the first value')
      folded.begin = value
    elseif value.kind == 'report' then
      folded.reports = folded.reports + 1
      local update = value.update
      if update.type == 'itemStarted' then
        local item = update.item
        t.check(not folded.items[item.id], 'an item starts twice: %s', at)
        t.equal(item.turnId, folded.begin.turnId, 'the turn of ' .. at)
        local entry = { type = item.type, parts = {}, text = item.text or '', deltas = 0 }
        folded.items[item.id] = entry
        table.insert(folded.order, entry)
      elseif update.type == 'itemDelta' then
        local entry = folded.items[update.itemId]
        t.check(entry, 'a delta of an item that did not start: %s', at)
        t.check(not entry.completed, 'a delta of an item that is complete: %s', at)
        entry.deltas = entry.deltas + 1
        table.insert(entry.parts, update.delta.text or update.delta.json)
      elseif update.type == 'itemCompleted' then
        local entry = folded.items[update.item.id]
        t.check(entry, 'an item completes that did not start: %s', at)
        t.check(not entry.completed, 'an item completes twice: %s', at)
        t.equal(update.item.type, entry.type, 'the type of ' .. at)
        entry.completed = update.item
        folded.completions = (folded.completions or 0) + 1
        entry.place = folded.completions
      end
    elseif value.kind == 'end' then
      folded.ends = folded.ends + 1
      folded.stop = value
    else
      error('a value of no known kind: ' .. at)
    end
  end
  t.equal(folded.ends, 1, 'how many ends came')
  for _, entry in ipairs(folded.order) do
    t.check(entry.completed, 'an item never completed: %s', vim.inspect(entry))
    if entry.type == 'message' or entry.type == 'thinking' then
      local told = entry.text .. table.concat(entry.parts)
      t.check(
        told == entry.completed.text,
        'the deltas of a %s are not its text: %d bytes against %d',
        entry.type,
        #told,
        #entry.completed.text
      )
    end
  end
  return folded
end

---@param folded table
---@param type string
local function only(folded, type)
  local found = vim.tbl_filter(function(entry)
    return entry.type == type
  end, folded.order)
  t.equal(#found, 1, ('how many items of type %s there are'):format(type))
  return found[1]
end

t.run(function()
  local root = vim.uv.fs_realpath(vim.fn.tempname():match('^(.*)/')) .. '/project'
  vim.fn.mkdir(root, 'p')
  local file = root .. '/main.rs'
  vim.fn.writefile({ 'fn main() {', '    println!("hello");', '}' }, file)
  vim.cmd.edit(vim.fn.fnameescape(file))
  local bufnr = vim.api.nvim_get_current_buf()

  vim.api.nvim_create_autocmd('LspProgress', { callback = t.guarded('the autocommand LspProgress', on_announcement) })
  local server =
    t.start({ bin = t.server_path(), root = root, bufnr = bufnr, handlers = { ['$/progress'] = on_progress } })
  local encoding = server.client.offset_encoding

  --- Sends a prompt; its values arrive in the turn that is returned.
  local function prompt(session, token, lines)
    turns[token] = { values = {} }
    announced[token] = {}
    local result = t.request(server, 'souffleur/session/prompt', {
      sessionId = session,
      content = { { type = 'text', text = table.concat(lines, '\n') } },
      streamToken = token,
    }, bufnr)
    turns[token].id = result.turnId
    return turns[token]
  end

  --- Waits for a turn's end, then makes a round trip: what the server sent before its answer has arrived after it.
  local function finish(turn)
    t.wait('the turn ends', function()
      return turn.ended
    end)
    local list = t.request(server, 'souffleur/session/list', vim.empty_dict(), bufnr)
    local folded = fold(turn.values)
    t.equal(folded.begin.turnId, turn.id, "the stream's turn")
    return folded, list
  end

  t.equal((server.answer.serverInfo or {}).name, 'souffleur', "serverInfo's name")
  t.wait('the buffer is attached', function()
    return vim.lsp.buf_is_attached(bufnr, server.client.id)
  end)
  t.ok(('initialize is answered, positions in %s'):format(encoding))

  t.wait('the buffer is announced', function()
    return vim.tbl_contains(server.sent, 'textDocument/didOpen')
  end)
  local session = t.request(server, 'souffleur/session/new', { model = MODEL }, bufnr).session
  t.equal(session.model, MODEL, "the session's model")
  t.equal(session.simulated, true, 'whether the session says that it is simulated')
  t.ok('a session with ' .. MODEL)

  local turn = prompt(session.sessionId, 'nvim-1', { 'sim> think I consider this', 'sim> stream 500 1ms' })
  local folded, list = finish(turn)
  t.equal(folded.stop.stopReason, 'end_turn', 'the stop reason')
  t.check(t.absent(folded.stop.error), 'the turn ended with an error: %s', vim.inspect(folded.stop.error))
  t.equal(folded.begin.sessionId, session.sessionId, "the stream's session")
  t.equal(folded.begin.simulated, true, 'whether the turn says that it is simulated')
  t.equal(folded.begin.model, MODEL, "the turn's model")
  t.check(#folded.begin.title > 0, 'the begin has no title')
  t.ok(('a turn of %d values: seq from 0 without a gap, one end, end_turn'):format(#turn.values))

  local thinking, message = only(folded, 'thinking'), only(folded, 'message')
  t.equal(thinking.completed.text, 'I consider this', 'the thinking')
  t.check(thinking.place < message.place, 'the thinking does not come before the text')
  t.equal(thinking.completed.status, 'completed', "the thinking's status")
  t.equal(message.completed.status, 'completed', "the text's status")
  t.check(message.deltas > 1 and message.deltas <= 500, 'the text came in %d deltas', message.deltas)
  t.ok(('thinking, then text: %d deltas add up to its %d bytes'):format(message.deltas, #message.completed.text))

  t.equal(announced['nvim-1'].begin, 1, 'how often Neovim announced the begin')
  t.equal(announced['nvim-1'].report, folded.reports, 'how many reports Neovim announced')
  t.equal(announced['nvim-1']['end'], 1, 'how often Neovim announced the end')
  t.check(type(vim.lsp.status()) == 'string', 'vim.lsp.status() is no text')
  t.ok("Neovim's own progress handling takes the values as well")

  turn = prompt(session.sessionId, 'nvim-2', { 'sim> stream 100000 1ms' })
  t.wait('text arrives', function()
    return #turn.values > 20
  end)
  t.check(not turn.ended, 'the long turn ended before it was cancelled')
  local asked = vim.uv.hrtime()
  local result = t.request(server, 'souffleur/session/cancel', { sessionId = session.sessionId }, bufnr)
  t.equal(result.cancelled, true, 'whether a turn was cancelled')
  folded = finish(turn)
  t.equal(folded.stop.stopReason, 'cancelled', 'the stop reason')
  message = only(folded, 'message')
  t.equal(message.completed.status, 'cancelled', "the text's status")
  t.check(#message.completed.text > 0, 'what had arrived was not kept')
  t.ok(('a turn is cancelled %.1f ms after it was asked'):format((turn.ended - asked) / 1e6))

  vim.api.nvim_buf_set_text(bufnr, 1, 14, 1, 19, { '𝄞 grüß dich', '    and you' })
  vim.api.nvim_buf_set_lines(bufnr, 0, 0, false, { '// changed' })
  _, list = finish(prompt(session.sessionId, 'nvim-3', { 'sim> stream 3 1ms' }))
  t.check(vim.tbl_contains(server.sent, 'textDocument/didChange'), 'Neovim sent no didChange')
  t.equal(#list.sessions, 1, 'how many sessions there are')
  t.equal(list.sessions[1].status, 'idle', "the session's status")
  t.equal(list.sessions[1].turns, 3, 'how many turns the session had')
  t.equal(fold(turns['nvim-3'].values).stop.stopReason, 'end_turn', 'the stop reason')
  t.ok('after an edit of the buffer the session goes on')

  t.stop(server)
  t.ok(('the server stopped, process %d is gone'):format(server.pid))
end)
