"""The main job of Portunus, run over real HTTP against a real model server, one printed step at a time."""
