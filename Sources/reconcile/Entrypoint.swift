import ArgumentParser
import Reconciler

@main
enum Entrypoint {
  static func main() async { await ReconcileCommand.main() }
}
