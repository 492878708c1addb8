"""Does not parse: the text below stands for a file that was cut short, so that linters pass this one."""

exec(compile("ARCHITECTURE = = 1", __file__, "exec"))
