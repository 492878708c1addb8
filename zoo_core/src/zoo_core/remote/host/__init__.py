"""The program's side of the sandbox: starting workers, and the objects that stand for what runs in them."""
