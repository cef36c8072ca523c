-- What the tests share: results, waiting, and a client of the server that is watched from outside.

local M = {}

-- How long a wait may take before it counts as a failure. Nothing waits this long when all is well.
M.guard = 30 * 1000

local passed = 0

-- What went wrong outside of the test's own calls: in a handler, an autocommand, the client.
---@type string[]
local failures = {}

--- The function, with its errors kept for the next wait, which ends the test.
---@param what string
---@param fn function
---@return function
function M.guarded(what, fn)
  return function(...)
    local fine, message = pcall(fn, ...)
    if not fine then
      table.insert(failures, ('%s failed: %s'):format(what, message))
    end
  end
end

--- Says that something holds.
---@param text string
function M.ok(text)
  passed = passed + 1
  io.stdout:write('ok - ', text, '\n')
end

--- Ends the test with a message unless `condition` holds.
---@param condition any
---@param format string
---@param ... any
function M.check(condition, format, ...)
  if not condition then
    error(select('#', ...) > 0 and format:format(...) or format, 2)
  end
end

--- Ends the test unless the two are equal.
---@param actual any
---@param expected any
---@param what string
function M.equal(actual, expected, what)
  if not vim.deep_equal(actual, expected) then
    error(('%s: expected %s, got %s'):format(what, vim.inspect(expected), vim.inspect(actual)), 2)
  end
end

--- Waits for a condition. Anything that went wrong meanwhile ends the test at once.
---@param what string
---@param condition fun(): any
function M.wait(what, condition)
  local done = vim.wait(M.guard, function()
    return #failures > 0 or condition()
  end, 5)
  if #failures > 0 then
    error(failures[1], 2)
  end
  if not done then
    error(('gave up after %d s waiting until %s'):format(M.guard / 1000, what), 2)
  end
end

--- JSON null is `nil` or `vim.NIL`, depending on the version of Neovim.
function M.absent(value)
  return value == nil or value == vim.NIL
end

--- Calls a method of a client: they take the client itself from 0.11 on.
local function call(client, method, ...)
  if vim.fn.has('nvim-0.11') == 1 then
    return client[method](client, ...)
  end
  return client[method](...)
end

--- The program to test.
---@return string
function M.server_path()
  local bin = os.getenv('SOUFFLEUR_BIN')
  M.check(bin, 'SOUFFLEUR_BIN does not say where the server is')
  bin = vim.fn.fnamemodify(bin, ':p')
  M.check(vim.fn.executable(bin) == 1, '%s is no program', bin)
  return bin
end

local function children()
  local set = {}
  for _, pid in ipairs(vim.api.nvim_get_proc_children(vim.fn.getpid())) do
    set[pid] = true
  end
  return set
end

---@param pid integer
function M.alive(pid)
  return vim.uv.kill(pid, 0) == 0
end

---@class Watched
---@field client vim.lsp.Client
---@field pid integer the server's process
---@field sent string[] the methods of the notifications that Neovim sent
---@field answer table the result of `initialize`
---@field stopping? boolean whether it was asked to stop
---@field exit? { code: integer, signal: integer }

--- Starts the server for a buffer, and waits until `initialize` is answered.
---@param options { bin: string, root: string, bufnr: integer, handlers: table<string, function> }
---@return Watched
function M.start(options)
  local watched = { sent = {} }
  local before = children()

  -- The server as `cmd = { bin }` would start it, and every notification to it noted.
  local function cmd(dispatchers)
    local rpc = vim.lsp.rpc.start({ options.bin }, dispatchers, { cwd = options.root })
    local notify = rpc.notify
    rpc.notify = function(method, ...)
      table.insert(watched.sent, method)
      return notify(method, ...)
    end
    return rpc
  end

  local handlers = {}
  for method, handler in pairs(options.handlers) do
    handlers[method] = M.guarded('the handler of ' .. method, handler)
  end

  local id = vim.lsp.start({
    name = 'souffleur',
    cmd = cmd,
    root_dir = options.root,
    workspace_folders = { { uri = vim.uri_from_fname(options.root), name = 'scratch' } },
    handlers = handlers,
    on_init = function(_, result)
      watched.answer = result
    end,
    on_error = function(code, message)
      table.insert(failures, ('client error %s: %s'):format(code, vim.inspect(message)))
    end,
    on_exit = function(code, signal)
      watched.exit = { code = code, signal = signal }
      if not watched.stopping then
        table.insert(failures, ('the server ended by itself: %s'):format(vim.inspect(watched.exit)))
      end
    end,
  }, { bufnr = options.bufnr })
  M.check(id, 'vim.lsp.start did not start %s', options.bin)

  watched.client = assert(vim.lsp.get_client_by_id(id))
  M.wait('initialize is answered', function()
    return watched.answer
  end)

  for pid in pairs(children()) do
    if not before[pid] then
      M.check(not watched.pid, 'more than one process was started')
      watched.pid = pid
    end
  end
  M.check(watched.pid, "the server's process was not found")
  return watched
end

--- Sends a request and waits for its result. An error response ends the test.
---@param watched Watched
---@param method string
---@param params table
---@param bufnr integer
---@return table
function M.request(watched, method, params, bufnr)
  local response
  local function on_response(err, result)
    response = { err = err, result = result }
  end
  local sent = call(watched.client, 'request', method, params, on_response, bufnr)
  M.check(sent, '%s could not be sent: the server is gone', method)
  M.wait(method .. ' is answered', function()
    return response
  end)
  M.check(M.absent(response.err), '%s failed: %s', method, vim.inspect(response.err))
  return response.result
end

--- Stops the server as an editor does (`shutdown`, `exit`) and waits until its process is gone.
---@param watched Watched
function M.stop(watched)
  watched.stopping = true
  call(watched.client, 'stop')
  M.wait('the client has stopped', function()
    return watched.exit
  end)
  M.equal(watched.exit, { code = 0, signal = 0 }, "the server's exit")
  M.wait(('process %d is gone'):format(watched.pid), function()
    return not M.alive(watched.pid)
  end)
end

--- Runs a test and ends Neovim with 0, or with 1 and what went wrong.
---@param test fun()
function M.run(test)
  local fine, trace = xpcall(test, debug.traceback)
  if not fine then
    io.stdout:write('\nnot ok - ', trace, '\n')
    for _, client in ipairs(vim.lsp.get_clients()) do
      call(client, 'stop', true)
    end
  end
  local version = vim.version()
  io.stdout:write(
    ('Neovim %d.%d.%d: %d passed, %d failed\n'):format(
      version.major,
      version.minor,
      version.patch,
      passed,
      fine and 0 or 1
    )
  )
  io.stdout:flush()
  vim.cmd(fine and 'qall!' or 'cquit 1')
end

return M
