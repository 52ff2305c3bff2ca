-- Keeps a limit for bodies that come without their length: HAProxy's own rules see a body's first bytes only.
-- filter lua.limit_body <bytes> <answer>: who sends more is answered 413 at once, and what still comes is thrown away.
local LimitBody = { id = "limit_body", flags = filter.FLT_CFG_FL_HTX }

function LimitBody:new()
    return setmetatable({ received = 0, over = false }, { __index = self })
end

function LimitBody:http_headers(txn, message)
    -- Web sockets begin as a GET, and what they send later is no body.
    if message:is_resp() or message:get_stline().method == "GET" or message:get_headers()["content-length"] then
        return
    end
    filter.register_data_filter(self, message.channel)
end

function LimitBody:http_payload(txn, message)
    if self.over then
        return
    end
    self.received = self.received + #(message:body() or "")
    if self.received > self.most then
        self.over = true
        local body = string.gsub(self.answer, "@request_id@", txn:get_var("txn.request_id") or "")
        local headers = { ["content-type"] = { "application/json" }, ["cache-control"] = { "no-store" } }
        txn:done(txn:reply({ status = 413, headers = headers, body = body }))
    end
end

core.register_filter("limit_body", LimitBody, function(declared, arguments)
    declared.most, declared.answer = tonumber(arguments[1]), arguments[2]
    return declared
end)
