-- The workloads of generators.c in Lua, for Lua and LuaJIT.
--
-- Reads lines "work n depth", and answers each with processor time in nanoseconds, the sum of the items, and 0.

local yield, wrap = coroutine.yield, coroutine.wrap
local TREE_NODES = 2 ^ 20

local function numbers(n)
    return wrap(function()
        for i = 0, n - 1 do yield(i) end
    end)
end

local function build(first, stop)
    if first == stop then return nil end
    local middle = math.floor((first + stop) / 2)
    return {left = build(first, middle), value = middle, right = build(middle + 1, stop)}
end

local function emit_tree(node)
    if node.left then emit_tree(node.left) end
    yield(node.value)
    if node.right then emit_tree(node.right) end
end

local function delegating(n, depth)
    local inner = depth > 1 and delegating(n, depth - 1) or numbers(n)
    return wrap(function()
        for x in inner do yield(x) end
    end)
end

local function pipeline(n)
    local count = wrap(function()
        local i = 0
        while true do
            yield(i)
            i = i + 1
        end
    end)
    local mapped = wrap(function()
        for x in count do yield(3 * x + 1) end
    end)
    local filtered = wrap(function()
        for x in mapped do
            if x % 2 == 0 then yield(x) end
        end
    end)
    return wrap(function()
        for x in filtered do
            yield(x)
            n = n - 1
            if n == 0 then return end
        end
    end)
end

local function total(items)
    local result = 0
    for x in items do result = result + x end
    return result
end

local function create(n)
    local result = 0
    for _ = 1, n do
        for x in numbers(1) do result = result + x end
    end
    return result
end

local tree
local works = {
    numbers = function(n) return total(numbers(n)) end,
    create = create,
    tree = function() return total(wrap(function() emit_tree(tree) end)) end,
    delegate = function(n, depth) return total(delegating(n, depth)) end,
    pipeline = function(n) return total(pipeline(n)) end,
}

io.stdout:write(jit and jit.version or _VERSION, "\n")
io.stdout:flush()
for line in io.lines() do
    local work, n, depth = line:match("(%a+) (%d+) (%d+)")
    n, depth = tonumber(n), tonumber(depth)
    if work == "tree" and not tree then tree = build(0, TREE_NODES) end
    local began = os.clock()
    local able, result = pcall(works[work], n, depth) -- Lua nests less than 200 coroutines
    local took = os.clock() - began
    io.stdout:write(able and string.format("%.0f %.0f 0\n", took * 1e9, result) or "-1 0 0\n")
    io.stdout:flush()
end
