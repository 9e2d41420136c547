#include "app/window.h"

#include <GLFW/glfw3.h>

#include <stdexcept>

#include "backends/imgui_impl_glfw.h"
#include "backends/imgui_impl_opengl3.h"
#include "implot.h"

namespace dalea::app {

Window::Window(const char* title, int width, int height, bool hidden) {
  std::string reason = "no display";
  static std::string* said = nullptr;
  said = &reason;
  glfwSetErrorCallback([](int, const char* text) {
    if (said != nullptr && text != nullptr) *said = text;
  });
  if (!glfwInit())
    throw std::runtime_error("the window cannot open: " + reason + "; use the command line or the page instead");
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);  // WebGL2, or OpenGL 3.0 and later
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 0);
  glfwWindowHint(GLFW_VISIBLE, hidden ? GLFW_FALSE : GLFW_TRUE);
  window_ = glfwCreateWindow(width, height, title, nullptr, nullptr);
  said = nullptr;
  if (window_ == nullptr) {
    glfwTerminate();
    throw std::runtime_error("OpenGL 3 cannot be had: " + reason +
                             "; install a graphics driver, or set LIBGL_ALWAYS_SOFTWARE=1");
  }
  glfwMakeContextCurrent(window_);
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  ImPlot::CreateContext();
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard;
  ImGui_ImplGlfw_InitForOpenGL(window_, true);
  ImGui_ImplOpenGL3_Init();  // chooses GLSL by itself
}

Window::~Window() {
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplGlfw_Shutdown();
  ImPlot::DestroyContext();
  ImGui::DestroyContext();
  glfwDestroyWindow(window_);
  glfwTerminate();
}

void Window::set_scale(float scale) {
  if (scale == scale_) return;
  build_fonts(scale);
  if (scale_ != 0) {
    ImGui_ImplOpenGL3_DestroyFontsTexture();
    ImGui_ImplOpenGL3_CreateFontsTexture();
  }
  scale_ = scale;
}

void Window::draw(App& app, ImVec2 size, const std::function<void()>& more) {
  app.scale = scale_;
  ImGui_ImplOpenGL3_NewFrame();
  ImGui_ImplGlfw_NewFrame();
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = size;
  io.DisplayFramebufferScale = {1, 1};
  ImGui::NewFrame();
  app.frame();
  if (more) more();
  ImGui::Render();
  glViewport(0, 0, static_cast<int>(size.x), static_cast<int>(size.y));
  const ImVec4& c = palette(app.theme).background;
  glClearColor(c.x, c.y, c.z, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
}

ImTextureID Window::texture(ImTextureID old, int width, int height, const uint32_t* rgba, bool crisp) {
  GLuint id = static_cast<GLuint>(reinterpret_cast<uintptr_t>(old));
  if (id == 0) glGenTextures(1, &id);
  glBindTexture(GL_TEXTURE_2D, id);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, crisp ? GL_NEAREST : GL_LINEAR);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
  glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, rgba);
  return reinterpret_cast<ImTextureID>(static_cast<uintptr_t>(id));
}

void Window::remake_graphics() {
  ImGui_ImplOpenGL3_DestroyDeviceObjects();
  ImGui_ImplOpenGL3_CreateDeviceObjects();
}

}  // namespace dalea::app
