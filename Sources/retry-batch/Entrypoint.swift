import ArgumentParser
import RetryBatch

@main
enum Entrypoint {
  static func main() async { await RetryBatchCommand.main() }
}
