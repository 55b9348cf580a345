import RetryBatch
import ServiceKit

@main
enum Entrypoint {
  static func main() async { await runProgram(RetryBatchCommand.self) }
}
