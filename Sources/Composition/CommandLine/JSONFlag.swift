internal import ArgumentParser

/// `--json`, of every command whose result people read as a table.
package struct JSONFlag: ParsableArguments {
  @Flag(name: .customLong("json"), help: "Print the result as JSON (docs/schemas).")
  package var isSet = false

  package init() {}
}

/// Writes a result to standard output as JSON, as its schema in docs/schemas says.
///
/// - Throws: ``CLIError`` with exit code 74 where it cannot be written.
package func printJSON(_ value: some Encodable) throws {
  try printResult(try JSONText.encode(value, isIndented: true))
}
