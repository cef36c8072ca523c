-- The lines that editors/README.md gives for trying the server in Neovim do what it says.
--
--   SOUFFLEUR_BIN=target/debug/souffleur nvim --headless -u NONE -l editors/nvim/test/readme.lua

local here = vim.fs.dirname(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p'))
local t = dofile(here .. '/support.lua')

t.run(function()
  local readme = table.concat(vim.fn.readfile(here .. '/../../README.md'), '\n')
  local block = readme:match('\n```lua\n(.-)\n```')
  t.check(block, 'editors/README.md has no Lua')

  -- `souffleur` is found on the PATH, whatever the program to test is called.
  local root = vim.fn.tempname()
  vim.fn.mkdir(root .. '/bin', 'p')
  t.check(vim.uv.fs_symlink(t.server_path(), root .. '/bin/souffleur'), 'no link to the server')
  vim.env.PATH = root .. '/bin:' .. vim.env.PATH

  assert(load(block, '@editors/README.md'))()
  vim.fn.writefile({ 'hello' }, root .. '/notes.txt')
  vim.cmd.edit(vim.fn.fnameescape(root .. '/notes.txt'))
  t.wait('the server runs', function()
    return #vim.lsp.get_clients({ name = 'souffleur' }) == 1
  end)
  t.ok('opening a file starts the server')

  vim.cmd('Souffleur sim> stream 20 1ms')
  local function text()
    return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  end
  t.wait('the answer is there', function()
    return text():match('%(%l+_?%l*%)$')
  end)
  local answer, stop = text():match('^(.+)\n\n%((.-)%)$')
  t.check(answer and #answer > 20, 'the window has no answer but: %s', text())
  t.equal(stop, 'end_turn', 'the stop reason')
  t.ok((':Souffleur streams an answer of %d bytes into a window'):format(#answer))
end)
