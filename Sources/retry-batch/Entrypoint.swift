import Composition
import RetryBatch

@main
enum Entrypoint {
  static func main() async { await runProgram(RetryBatchCommand.self) }
}
