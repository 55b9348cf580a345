/// Runs `body` for every number in tasks of their own; the results in no order.
package func atOnce<Value: Sendable>(
  _ numbers: ClosedRange<Int>, _ body: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Value] {
  try await withThrowingTaskGroup(of: Value.self) { group in
    for number in numbers { group.addTask { try await body(number) } }
    return try await group.reduce(into: []) { $0.append($1) }
  }
}
